"""How a scan has to be turned so that its walls run along the axes: ``axisAlignment`` in ``<scan>.txt``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.reading import reader

_KEY = "axisAlignment"
_TOLERANCE = 1e-3
"""Of products of the matrix's entries, which have six decimals in ScanNet's files."""


@reader(DataError, "ScanNet's facts about a scan (txt)", "get that scan again")
def read_alignment(path: Path) -> Float64[np.ndarray, "4 4"] | None:
    """The matrix that takes raw coordinates to aligned ones; None where the file gives none, as for test scans.

    Raises:
        DataError: it is no motion of 16 numbers, row by row.
    """
    lines = [line.partition("=") for line in path.read_text(encoding="utf-8").splitlines()]
    given = [value.split() for key, _, value in lines if key.strip() == _KEY]
    if not given:
        return None
    if len(given) > 1 or len(given[0]) != 16:
        raise ValueError(f"{_KEY} must be there once with 16 numbers, it has {[len(words) for words in given]}")
    matrix = np.array([float(word) for word in given[0]]).reshape(4, 4)
    if not np.isfinite(matrix).all() or np.abs(matrix).max() > 1e6:
        raise ValueError(f"{_KEY} has a number that is not finite, or none of metres")
    turn = matrix[:3, :3]
    if (
        np.abs(turn @ turn.T - np.eye(3)).max() > _TOLERANCE
        or np.linalg.det(turn) < 0
        or (matrix[3] != (0, 0, 0, 1)).any()
    ):
        raise ValueError(f"{_KEY} is no rotation with a shift")
    return matrix
