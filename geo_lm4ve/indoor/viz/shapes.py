"""Boxes and askers as points in space."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from geo_lm4ve.indoor.asker import heading

Numbers = Sequence[float] | np.ndarray
"""A few numbers in a row: a list, a tuple, an array."""

EDGES = tuple(
    (first, second) for first, second in itertools.combinations(range(8), 2) if (first ^ second).bit_count() == 1
)
"""Pairs of corners, out of ``corners``, that an edge of a box joins."""

_LENGTH, _HEAD, _WIDTH, _SHAFT = 0.9, 0.42, 0.5, 0.16
"""Metres: the arrow, its head, and how wide head and shaft are."""


def corners(box: Numbers) -> Float[np.ndarray, "8 3"]:
    """Corners of a box of centre and size; a size below zero, which nothing keeps a network from, counts as its size.

    Corner k lies towards larger x if bit 0 of k is set, y for bit 1, z for bit 2.
    """
    values = np.asarray(box, dtype=float)
    signs = np.array([[(k >> axis & 1) - 0.5 for axis in range(3)] for k in range(8)])
    return values[:3] + signs * np.abs(values[3:])


def arrow(pose: Numbers) -> Float[np.ndarray, "7 3"]:
    """Outline of a flat arrow [m] that starts where the asker stands and points to where they look."""
    position, ahead = np.asarray(pose[:3], dtype=float), heading(pose)
    aside = np.array([-ahead[1], ahead[0], 0.0])
    neck, tip = _LENGTH - _HEAD, _LENGTH
    outline = [(0, _SHAFT), (neck, _SHAFT), (neck, _WIDTH), (tip, 0), (neck, -_WIDTH), (neck, -_SHAFT), (0, -_SHAFT)]
    return np.array([position + along * ahead + across / 2 * aside for along, across in outline])
