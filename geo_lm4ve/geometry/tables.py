"""Numbers in text: a row per point, separated by blanks or by commas."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

_LONGEST = 10_000
"""Characters of a line; a row with the features of a point has a few hundred."""


def read_table(path: Path) -> Float[np.ndarray, "n c"]:
    """The rows of a UTF-8 file; ``#`` begins a comment. Call it inside a guard (``reading.py``).

    Raises:
        ValueError: no rows, rows of different lengths, words, empty columns, a row with commas and blanks in between.
    """
    text = path.read_text(encoding="utf-8-sig")
    commas = "," in text
    lines = re.sub(r"[ \t]*,[ \t]*", ",", text).splitlines() if commas else text.splitlines()
    lines = [line.split("#")[0].strip().rstrip(",") for line in lines]
    for number, line in enumerate(lines, start=1):
        if len(line) > _LONGEST:
            raise ValueError(f"line {number} has {len(line):,} characters; a row holds one point")
        if commas and "," in line and len(line.split()) > 1:
            raise ValueError(f"line {number} has commas and blanks: {line[:60]!r}; write 0.5 rather than 0,5")
    if not any(lines):
        raise ValueError("it has no rows")
    delimiter = "," if any("," in line for line in lines) else None
    return np.loadtxt(lines, ndmin=2, delimiter=delimiter, comments=None)
