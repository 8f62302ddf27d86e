"""The header of a safetensors file that is not here: names, dtypes, shapes and byte ranges.

Format: eight bytes (little-endian length of the header), the header as JSON, then the tensors' values.
"""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING

import torch

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources.span import Span
from geo_lm4ve.reading import Fields, json_object, reader

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


@reader(BlockError, "a safetensors file", "try another revision of the repository")
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
    entries = Fields(json_object(bytes(text)), "header ")
    names = [name for name in entries.values if name != "__metadata__"]
    spans = {name: _span(entries.fields(name), name, 8 + length, file.size) for name in names}
    in_order = sorted(spans.values(), key=lambda span: (span.start, span.stop))
    if any(span.stop > after.start for span, after in itertools.pairwise(in_order)):
        raise ValueError("two of its tensors overlap")
    return spans


def _span(entry: Fields, name: str, base: int, size: int) -> Span:
    start, stop = entry.wholes("data_offsets")
    if (dtype := _DTYPES.get(entry.text("dtype"))) is None:
        raise ValueError(f"{name} is stored as {entry['dtype']}, which is not known here")
    span = Span(base + start, base + stop, dtype, tuple(entry.wholes("shape")))
    if span.size != stop - start or span.stop > size:
        raise ValueError(f"{name} should end at byte {span.stop} of {size}")
    return span
