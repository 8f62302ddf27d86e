"""A GGUF file's metadata and tensor directory, read from a memory map without touching any tensor.

The ``gguf`` package's own reader turns every tokenizer entry into numpy views, which takes seconds; here arrays are
only stepped over, so opening costs milliseconds. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.reading import Fields, check_bytes, reading

if TYPE_CHECKING:
    from gguf import GGMLQuantizationType

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_MOST_PACKED = 32  # float32 over stored bytes: no quantisation takes less than a bit per weight
_FLOAT32, _STRING, _ARRAY = 6, 8, 9
_LARGEST_ALIGNMENT = 1 << 20  # bytes; files have 32
_LONGEST_ARRAY_KEPT = 4096  # per-layer numbers are kept, vocabularies are stepped over


@dataclass(frozen=True)
class StoredTensor:
    """One entry of the directory: shape in row-major order (rows first), ggml type, byte offset in the file."""

    shape: tuple[int, ...]
    type: int
    offset: int


class GGUFFile:
    """Header of one GGUF file (version 2 or 3, little-endian).

    Attributes:
        metadata: key to value; arrays of strings and very long arrays are left out. float32 numbers are the shortest
            decimal that rounds to them (1e-05, not 9.999999747378752e-06), as ``config.json`` writes them.
        tensors: name to StoredTensor.
    """

    def __init__(self, path: Path) -> None:
        """Parse the header; BlockError when the file is no GGUF, of another version or byte order, or cut short."""
        self.path = path
        if not path.is_file():
            raise BlockError(f"no GGUF file at {path}; check the path after gguf:")
        with path.open("rb") as handle:
            if path.stat().st_size < 24 or handle.read(4) != b"GGUF":
                raise BlockError(f"{path} is not a GGUF file: it does not begin with GGUF and a header")
            self._bytes = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        self._at = 4
        with reading(path, BlockError, "a GGUF file", "fetch it again"):
            self._parse()

    def _truncated(self, what: str) -> BlockError:
        return BlockError(f"{self.path} is cut short or damaged ({len(self._bytes)} bytes): {what}; fetch it again")

    def _parse(self) -> None:
        (version,) = self._unpack("I")
        if version not in (2, 3):
            raise BlockError(
                f"{self.path} is GGUF version {version}; versions 2 and 3 (little-endian) are read: convert it anew"
            )
        tensors, entries = self._unpack("QQ")
        self.metadata: dict[str, Any] = {}
        for _ in range(entries):
            key = self._string()
            value = self._value(self._unpack("I")[0])
            if value is not None:
                self.metadata[key] = value
        directory = [self._entry() for _ in range(tensors)]
        alignment = Fields({"general.alignment": 32} | self.metadata).whole("general.alignment", 1, _LARGEST_ALIGNMENT)
        start = -(-self._at // alignment) * alignment
        self.tensors = {name: StoredTensor(shape, kind, start + offset) for name, shape, kind, offset in directory}

    def _unpack(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self._bytes, self._at)
        self._at += struct.calcsize("<" + layout)
        return values

    def _string(self) -> str:
        (length,) = self._unpack("Q")
        text = self._bytes[self._at : self._at + length]
        if len(text) < length:
            raise self._truncated(f"a string of {length} bytes at byte {self._at} is not all there")
        self._at += length
        return text.decode()

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._array()
        (value,) = self._unpack(self._scalar(kind))
        return float(str(np.float32(value))) if kind == _FLOAT32 else value

    def _scalar(self, kind: int) -> str:
        if kind not in _SCALARS:
            raise self._truncated(f"unknown value type {kind} at byte {self._at}")
        return _SCALARS[kind]

    def _array(self) -> list[Any] | None:
        """Numbers of a short array; None for strings and long arrays, which are stepped over."""
        kind, count = self._unpack("IQ")
        if kind == _STRING:
            for _ in range(count):
                (length,) = struct.unpack_from("<Q", self._bytes, self._at)
                self._at += 8 + length
            return None
        if kind == _ARRAY:
            raise self._truncated(f"a nested array at byte {self._at}, which no known file has")
        layout = f"{count}{self._scalar(kind)}"
        if count <= _LONGEST_ARRAY_KEPT:
            return list(self._unpack(layout))
        self._at += struct.calcsize("<" + layout)
        return None

    def _entry(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self._string()
        (axes,) = self._unpack("I")
        dimensions = self._unpack(f"{axes}Q")
        kind, offset = self._unpack("IQ")
        return name, tuple(reversed(dimensions)), kind, offset

    def _kind(self, name: str) -> GGMLQuantizationType:
        from gguf import GGMLQuantizationType

        try:
            return GGMLQuantizationType(self.tensors[name].type)
        except ValueError:
            raise BlockError(
                f"{self.path}: {name} has ggml type {self.tensors[name].type}, unknown to the installed gguf; "
                "run `pip install -U gguf`"
            ) from None

    def stored_bytes(self, name: str) -> int:
        """Bytes that one tensor takes in the file."""
        from gguf import GGML_QUANT_SIZES

        block, size = GGML_QUANT_SIZES[self._kind(name)]
        shape = self.tensors[name].shape
        if not shape or not prod(shape) or shape[-1] % block:
            raise ValueError(f"{name} of shape {list(shape)} does not consist of rows of blocks of {block} values")
        return prod(shape) // block * size

    def dequantize(self, name: str) -> np.ndarray:
        """One tensor as float32, row-major (out, in); BlockError for types that are no weights or a cut file."""
        from gguf.quants import dequantize

        stored, kind, length = self.tensors[name], self._kind(name), self.stored_bytes(name)
        if stored.offset + length > len(self._bytes):
            raise self._truncated(f"{name} needs bytes {stored.offset} to {stored.offset + length}")
        check_bytes(4 * prod(stored.shape), name, stored=length, ratio=_MOST_PACKED)
        raw = np.frombuffer(self._bytes, dtype=np.uint8, count=length, offset=stored.offset)
        try:
            values = dequantize(raw.reshape(*stored.shape[:-1], -1), kind)
        except NotImplementedError:
            raise BlockError(
                f"{self.path}: {name} is stored as {kind.name}, which gguf cannot turn into float32; "
                "use another quantisation of the model, e.g. Q8_0 or F16"
            ) from None
        return np.array(values, dtype=np.float32).reshape(stored.shape)
