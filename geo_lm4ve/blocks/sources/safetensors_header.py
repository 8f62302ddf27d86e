"""The header of a safetensors file that is not here: names, dtypes, shapes and byte ranges.

Format: eight bytes (little-endian length of the header), the header as JSON, then the tensors' values.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import torch

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources.checkpoint import parse_json
from geo_lm4ve.blocks.sources.span import Span

if TYPE_CHECKING:
    from geo_lm4ve.blocks.sources.remote_file import RemoteFile

_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_LONGEST_HEADER = 100_000_000  # bytes; the limit that the safetensors library sets itself


def safetensors_spans(file: RemoteFile) -> dict[str, Span]:
    """From tensor name to its place in a remote safetensors file, at the cost of its header.

    Raises:
        BlockError: the file is no safetensors file, or its header promises bytes that it does not have.
    """
    head = file.head()
    (length,) = struct.unpack("<Q", head[:8]) if len(head) >= 8 else (0,)
    if not 2 <= length <= min(_LONGEST_HEADER, file.size - 8):
        raise BlockError(f"{file.place} is not a safetensors file, or is cut short ({file.size} bytes)")
    text = head[8 : 8 + length]
    if len(text) < length:
        text = text + file.read(8 + len(text), 8 + length)
    entries = parse_json(bytes(text), f"{file.place}, header")
    entries.pop("__metadata__", None)
    return {name: _span(entry, name, 8 + length, file) for name, entry in entries.items()}


def _span(entry: dict, name: str, base: int, file: RemoteFile) -> Span:
    try:
        start, stop = entry["data_offsets"]
        span = Span(base + start, base + stop, _DTYPES[entry["dtype"]], tuple(entry["shape"]))
    except (KeyError, TypeError, ValueError):
        raise BlockError(f"{file.place}: {name} is described as {entry}, which is not understood") from None
    if span.size != stop - start or not 0 <= start <= stop or span.stop > file.size:
        raise BlockError(f"{file.place}: {name} should end at byte {span.stop} of {file.size}; the file is damaged")
    return span
