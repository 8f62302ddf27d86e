"""Files of CIFAR-10 and CIFAR-100: rows of 3,072 bytes (red, green, blue; 32 x 32 each) and their labels.

The version for Python is a pickle; it is walked through opcode by opcode, and nothing in it is called.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.reading import check_bytes, reader

ROW = 3 * 32 * 32
_NUMBERS = ("BININT", "BININT1", "BININT2")
_TEXTS = ("BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINUNICODE", "SHORT_BINUNICODE", "BINBYTES8")

Rows = tuple[UInt8[Tensor, "n h w 3"], Int64[Tensor, " n"]]
"""Pixels and labels."""


@reader(DataError, "a batch of CIFAR for Python", "unpack the archive again")
def read_pickled(path: Path, key: str, classes: int) -> Rows:
    """The images of a file of the version for Python.

    Args:
        path: of the file.
        key: of the labels: ``labels`` (CIFAR-10) or ``fine_labels`` (CIFAR-100).
        classes: how many there are.

    Raises:
        DataError: it is damaged, or something else.
    """
    check_bytes(path.stat().st_size, "it")
    pixels, labels, current = b"", list[int](), ""
    for name, argument in _opcodes(path.read_bytes()):
        if isinstance(argument, int):
            if name in _NUMBERS and current == key:
                labels.append(argument)
        elif isinstance(argument, str | bytes) and name in _TEXTS:
            short = argument if len(argument) < 40 else b""
            current = short.decode("latin-1") if isinstance(short, bytes) else short
            if len(argument) >= max(ROW, len(pixels) + 1):
                pixels = argument if isinstance(argument, bytes) else argument.encode("latin-1")
    return _rows(pixels, labels, classes)


def _opcodes(content: bytes) -> Iterator[tuple[str, object]]:
    for opcode, argument, _ in pickletools.genops(content):
        yield opcode.name, argument


@reader(DataError, "a binary batch of CIFAR", "unpack the archive again")
def read_binary(path: Path, labels: int, classes: int) -> Rows:
    """The images of a file of the binary version; the last of so many ``labels`` before each counts; DataError."""
    size = path.stat().st_size
    check_bytes(size, "it")
    if not size or size % (labels + ROW):
        raise ValueError(f"its {size:,} bytes are no whole number of rows of {labels + ROW:,}")
    rows = torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.uint8).view(-1, labels + ROW)
    return _pixels(rows[:, labels:]), _labels(rows[:, labels - 1].tolist(), classes)


def _rows(pixels: bytes, labels: Sequence[int], classes: int) -> Rows:
    if not labels or len(pixels) != len(labels) * ROW:
        raise ValueError(f"it holds {len(labels):,} labels and {len(pixels):,} bytes of pixels, {ROW:,} make an image")
    return _pixels(torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(-1, ROW)), _labels(labels, classes)


def _pixels(rows: UInt8[Tensor, "n bytes"]) -> UInt8[Tensor, "n 32 32 3"]:
    return rows.reshape(-1, 3, 32, 32).permute(0, 2, 3, 1).contiguous()


def _labels(labels: Sequence[int], classes: int) -> Int64[Tensor, " n"]:
    for row, label in enumerate(labels):
        if not 0 <= label < classes:
            raise ValueError(f"row {row} has the label {label}, labels are 0 to {classes - 1}")
    return torch.tensor(labels, dtype=torch.int64)
