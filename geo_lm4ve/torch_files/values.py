"""What the pickle of a ``torch.save`` file can hold besides plain values, as descriptions that cost no memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import torch

_EXPANDED = 1 << 26
"""Bytes that a tensor may have beyond its storage: one that was saved expanded repeats its values by strides of 0."""

_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "ComplexDoubleStorage": torch.complex128,
    "ComplexFloatStorage": torch.complex64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class ForeignObjectError(ValueError):
    """A pickle that asks for something that no dict of tensors needs.

    Attributes:
        name: what it asks for, with its module.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"it asks for {name}, which no dict of tensors needs")
        self.name = name


@dataclass(frozen=True)
class Global:
    """A class or function by its full name; it is never looked up."""

    name: str


@dataclass(frozen=True)
class StorageRef:
    """A block of values in the file.

    Attributes:
        key: its name there.
        dtype: of its values.
        count: how many it has.
    """

    key: str
    dtype: torch.dtype
    count: int

    @property
    def size(self) -> int:
        """Bytes of values."""
        return self.count * self.dtype.itemsize


@dataclass(frozen=True)
class TensorRef:
    """A tensor in a storage, within its bounds; offset and strides count values."""

    storage: StorageRef
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def contiguous(self) -> bool:
        """Whether its values follow one another, row by row."""
        wanted = (prod(self.shape[axis + 1 :]) for axis in range(len(self.shape)))
        pairs = zip(self.strides, wanted, self.shape)
        return prod(self.shape) < 2 or all(s == w for s, w, size in pairs if size > 1)


def known_global(name: str) -> Global:
    """A name that a dict of tensors may need.

    Raises:
        ForeignObjectError: any other name.
    """
    module, _, last = name.rpartition(".")
    of_torch = module == "torch" and (last in _STORAGES or isinstance(vars(torch).get(last), torch.dtype))
    if not of_torch and name not in _CALLS and not name.startswith(_NAMED):
        raise ForeignObjectError(name)
    return Global(name)


def storage(reference: Any) -> StorageRef:
    """What a persistent id refers to: ("storage", class, key, location, count, …)."""
    if not isinstance(reference, tuple) or len(reference) not in (5, 6) or reference[0] != "storage":
        raise ValueError("it refers to something else than a storage")
    kind, key, count = reference[1], reference[2], reference[4]
    if not isinstance(kind, Global) or not isinstance(key, str):
        raise ValueError("a storage has no class or no name")
    if len(reference) == 6 and reference[5] is not None:
        raise ValueError(f"storage {key!r} is a part of another one, as torch wrote before version 0.4")
    dtype = _STORAGES.get(kind.name.removeprefix("torch."))
    if kind.name == "torch.storage.UntypedStorage":
        dtype = torch.uint8
    if dtype is None:
        raise ValueError(f"storage {key!r} is a {kind.name}")
    return StorageRef(key, dtype, _whole(count, f"the size of storage {key!r}"))


def _whole(value: Any, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**62:
        raise ValueError(f"{what} is no number from 0 to 2**62")
    return value


def call(function: Any, arguments: Any) -> Any:
    """What calling a global would give, without calling it."""
    if not isinstance(function, Global) or not isinstance(arguments, tuple):
        raise ValueError("something is called that is no function")
    if function.name not in _CALLS:
        raise ForeignObjectError(function.name)
    return _CALLS[function.name](*arguments)


def _tensor(where: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> TensorRef:
    """``torch._utils._rebuild_tensor``: refused where it reaches past its storage."""
    if not isinstance(where, StorageRef) or not all(isinstance(one, tuple) for one in (shape, strides)):
        raise ValueError("a tensor has no storage or no shape")
    if len(shape) != len(strides) or len(shape) > 64:
        raise ValueError(f"a tensor has {len(shape)} axes and {len(strides)} strides")
    sizes = tuple(_whole(size, "an axis of a tensor") for size in shape)
    steps = tuple(_whole(step, "a stride of a tensor") for step in strides)
    first = _whole(offset, "the offset of a tensor")
    end = first + (sum((size - 1) * step for size, step in zip(sizes, steps)) + 1 if prod(sizes) else 0)
    if end > where.count:
        raise ValueError(f"a tensor ends at value {end:,} of storage {where.key!r}, which has {where.count:,}")
    if prod(sizes) * where.dtype.itemsize > where.size + _EXPANDED:
        raise ValueError(f"a tensor of shape {list(sizes)} repeats the {where.count:,} values of storage {where.key!r}")
    return TensorRef(where, first, sizes, steps)


def _inner(value: Any, *_: Any) -> TensorRef:
    """A parameter is the tensor in it."""
    if not isinstance(value, TensorRef):
        raise ValueError("a parameter is made out of something that is no tensor")
    return value


def _size(axes: Any = (), *_: Any) -> tuple[Any, ...]:
    if not isinstance(axes, tuple | list):
        raise ValueError("a size is made out of something that is no list")
    return tuple(axes)


def _typed(function: Any, _kind: Any, arguments: Any, *_: Any) -> Any:
    """A tensor with attributes of its own: the tensor."""
    return call(function, arguments)


def _pairs(entries: Any = (), *_: Any) -> dict[Any, Any]:
    if isinstance(entries, Mapping):
        return dict(entries)
    return {plain_key(pair[0]): pair[1] for pair in entries}


def _opaque(*_: Any) -> None:
    """A value that is of no interest here: a device, a number of NumPy's."""


def _bytes(text: Any = "", *_: Any) -> bytes:
    """``_codecs.encode`` or ``bytearray`` of a text; a number would be a size to reserve."""
    if not isinstance(text, str | bytes):
        raise ValueError("bytes are made out of something that is no text")
    return text.encode("latin-1", "replace") if isinstance(text, str) else text


def _elements(values: Any = (), *_: Any) -> list[Any]:
    """A set; what is in it has to be hashed by whoever builds it."""
    if not isinstance(values, list | tuple):
        raise ValueError("a set is made out of something that is no list")
    return [plain_key(value) for value in values]


def plain_key(key: Any) -> Any:
    """A key of a dict; nested ones are refused, since hashing them can take for ever."""
    parts = key if isinstance(key, tuple) else (key,)
    if not all(part is None or isinstance(part, str | int | float | bytes | Global) for part in parts):
        raise ValueError("a key is neither a text nor a number")
    return key


_CALLS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _pairs,
    "collections.Counter": _pairs,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _inner,
    "torch._utils._rebuild_parameter_with_state": _inner,
    "torch._tensor._rebuild_from_type_v2": _typed,
    "torch.nn.parameter.Parameter": _inner,
    "torch.Size": _size,
    "torch.device": _opaque,
    "builtins.set": _elements,
    "__builtin__.set": _elements,
    "builtins.bytearray": _bytes,
    "__builtin__.bytearray": _bytes,
    "builtins.complex": _opaque,
    "__builtin__.complex": _opaque,
    "_codecs.encode": _bytes,
    "numpy.dtype": _opaque,
    "numpy.core.multiarray.scalar": _opaque,
    "numpy._core.multiarray.scalar": _opaque,
}
"""What each function that such pickles call would give."""

_NAMED = ("torch.Tensor", "torch.storage.UntypedStorage", "numpy.dtypes.")
"""What is named and never called: ``torch.Tensor(number)`` would ask for so much memory."""
