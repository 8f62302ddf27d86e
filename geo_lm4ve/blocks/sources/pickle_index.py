"""What tensors a ``torch.save`` file holds, read from its pickle without running any of its code.

A zip written by torch has one entry ``…/data.pkl``, a pickled dict of tensors whose values are references to the other
entries, ``…/data/0``, ``…/data/1`` … Only the handful of names that such a dict needs are resolved here, to functions
that note dtype, shape and place; anything else in the pickle is refused.

``torch.load`` under fake tensors gives offsets too, but wrong ones in a zip that another program packed again (it adds
sizes up, torch 2.13), none below a nested prefix, and in files of older torch at one request per storage, not 8 in all.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch

from geo_lm4ve.blocks.base import BlockError

_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


@dataclass(frozen=True)
class PickledTensor:
    """A contiguous tensor in a zip entry.

    Attributes:
        entry: name of the entry below ``data/``.
        dtype, shape: as stored.
        offset: bytes into the entry at which it begins.
    """

    entry: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True)
class _Storage:
    entry: str
    dtype: torch.dtype


def _tensor(storage: _Storage, offset: int, shape: Sequence[int], stride: Sequence[int], *_: Any) -> PickledTensor:
    contiguous = tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))
    if prod(shape) > 1 and any(s != c for s, c, size in zip(stride, contiguous, shape) if size > 1):
        raise pickle.UnpicklingError(f"a tensor of shape {list(shape)} is stored with strides {list(stride)}")
    return PickledTensor(storage.entry, storage.dtype, tuple(shape), offset * storage.dtype.itemsize)


def _parameter(tensor: PickledTensor, *_: Any) -> PickledTensor:
    return tensor


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
} | {("torch", name): dtype for name, dtype in _STORAGES.items()}


class _IndexUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no dict of tensors needs")
        return _KNOWN[module, name]

    def persistent_load(self, reference: Any) -> _Storage:
        kind, dtype, entry, _, _ = reference
        if kind != "storage" or not isinstance(dtype, torch.dtype):
            raise pickle.UnpicklingError(f"it refers to {kind!r}, not to a storage")
        return _Storage(str(entry), dtype)


def pickled_tensors(content: bytes, place: str) -> dict[str, PickledTensor]:
    """From tensor name to its place, out of the bytes of ``data.pkl``.

    Raises:
        BlockError: the pickle is damaged, is no flat dict of contiguous tensors, or wants to run code.
    """
    try:
        index = _IndexUnpickler(io.BytesIO(content)).load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise BlockError(
            f"{place} is not a plain dict of tensors ({error}), so its layers cannot be read by range; download it and "
            "convert it to safetensors, then use dir:FOLDER"
        ) from error
    if not isinstance(index, dict):
        raise BlockError(f"{place} holds a {type(index).__name__}, not a dict of tensors; is it a checkpoint?")
    return {str(name): value for name, value in index.items() if isinstance(value, PickledTensor)}
