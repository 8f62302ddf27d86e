"""What the vertices of a file carry besides coordinates: normals and colours, and their values between the corners.

It is called inside a guard (``reading.py``): faults are ValueErrors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int, Real

PLY = {"normal": ("nx", "ny", "nz"), "color": ("red", "green", "blue")}
"""Kind of value -> the properties of a PLY that make it up."""

LARGEST = 255
"""A colour in whole numbers lies between 0 and this one."""
COLORS = f"colors are fractions in [0, 1] or whole numbers up to {LARGEST}"


def vertex_values(
    table: Mapping[str, np.ndarray] | np.ndarray, count: int, kinds: Sequence[str]
) -> dict[str, Float[np.ndarray, "v 3"]]:
    """Those of some kinds that the vertices of a PLY have: normals of length 1, colours in [0, 1].

    A normal of zeros or with a NaN is one that nobody knows, and becomes zeros.

    Args:
        table: property -> its values, one for each vertex; or a structured array.
        count: of the vertices.
        kinds: of ``PLY``; a file need not have them.

    Raises:
        ValueError: a kind lacks a part, or holds a number that cannot be.
    """
    names = set(table) if isinstance(table, Mapping) else set(table.dtype.names or ())
    found = {}
    for kind in kinds:
        parts = [name for name in PLY.get(kind, ()) if name in names]
        if parts and len(parts) < 3:
            raise ValueError(f"its vertices have {' and '.join(parts)}, but a {kind} is {', '.join(PLY[kind])}")
        if parts:
            rows = np.stack([np.asarray(table[name]).reshape(-1) for name in parts], axis=1)
            if len(rows) != count:
                raise ValueError(f"{count} vertices have the {kind} of {len(rows)}")
            found[kind] = _checked(kind, rows)
    return found


def _checked(kind: str, rows: np.ndarray) -> Float[np.ndarray, "v 3"]:
    if kind == "color":
        values, rule = color_fractions(rows).astype(np.float64), COLORS
        good = ((values >= 0) & (values <= 1)).all(axis=1)
    else:
        values, rule = rows.astype(np.float64), "normals are finite, or NaN where nobody knows them"
        values = np.where(np.isnan(values).any(axis=1, keepdims=True), 0, values)
        good = np.isfinite(values).all(axis=1)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        raise ValueError(f"vertex {row} has the {kind} {rows[row].tolist()}: {rule}")
    return values if kind == "color" else directions(values)


def color_fractions(colors: Real[np.ndarray, "*b 3"]) -> Float[np.ndarray, "*b 3"]:
    """Colours in float32, whole numbers up to 255 as fractions; others stay what they are."""
    with np.errstate(over="ignore"):
        single = colors.astype(np.float32)
    # Whole by their dtype, or by their values, as tables of numbers have no dtypes.
    whole = colors.dtype.kind in "iu" or bool((colors > 1).any() and (colors == np.trunc(colors)).all())
    return single / np.float32(LARGEST) if whole else single


def directions(rows: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """Finite vectors at length 1; zeros stay zeros, and lengths neither overflow nor vanish."""
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    scaled = rows / np.where(largest > 0, largest, 1)
    return scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1)


def between(
    values: Float[np.ndarray, "v 3"], corners: Int[np.ndarray, "n 3"], weights: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 3"]:
    """Values at points inside triangles: those of their corners by barycentric weights."""
    return np.einsum("nk,nkc->nc", weights, values[corners])
