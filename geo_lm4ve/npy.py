"""Arrays in ``.npy`` files from outside: the header is held against the file's size before memory is asked for."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from geo_lm4ve.reading import check_bytes

_HEAD = 1 << 16
_LONGEST = 1000
"""Characters of a header; that of plain numbers has less than 128."""


def read_npy(path: Path | str) -> np.ndarray:
    """The numbers in a file, integers or floating point. Call it inside a guard (``reading.py``).

    Raises:
        ValueError: no ``.npy`` (an ``.npz`` under that name), no numbers (Python objects), or shorter than its shape.
        OSError: the file cannot be read.
    """
    with Path(path).open("rb") as file:
        head, size = io.BytesIO(file.read(_HEAD)), os.fstat(file.fileno()).st_size
    if head.getvalue().startswith(b"PK"):
        raise ValueError("it is an .npz, which holds several arrays; store the one that is meant by numpy.save")
    shape, columns_first, dtype = _header(head)
    if dtype.kind not in "fiu":
        raise ValueError(f"it holds {dtype}, not integers or floating point numbers")
    if min(shape, default=0) < 0:
        raise ValueError(f"its header gives the shape {shape}")
    count = math.prod(shape)
    check_bytes(count * dtype.itemsize, f"an array {shape} of {dtype}", stored=size - head.tell())
    values = np.fromfile(path, dtype=dtype, count=count, offset=head.tell())
    return values.reshape(shape, order="F" if columns_first else "C")


def _header(head: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = npy.read_magic(head)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in readers:  # 3.0 is that of tables whose columns have names
        raise ValueError(f"its format is {version[0]}.{version[1]}, plain arrays of numbers have 1.0 or 2.0")
    try:
        return readers[version](head, max_header_size=_LONGEST)
    except SyntaxError as fault:  # of the Python literal that a header is
        raise ValueError(f"its header cannot be read ({fault})") from fault
