"""Backgrounds of soft colours and flat figures, which say nothing about what stands before them."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32
from numpy.random import Generator

from geo_lm4ve.geometry.render import SAMPLES, pixels

CELLS = (2, 4, 9)
"""Squares of soft colour along a side, coarse to fine; each grid has half the contrast of the one before."""
COUNT = (4, 10)
"""Figures of a background: at least, and one more than at most."""


def clutter(random: Generator, height: int, width: int) -> Float32[np.ndarray, "h w 3"]:
    """A background of this many pixels, as fractions: soft colours, and over them figures with patterns."""
    picture = soft_colours(random, height, width).repeat(SAMPLES, 0).repeat(SAMPLES, 1)
    for _ in range(int(random.integers(*COUNT))):
        _paint(picture, random)
    return pixels(picture)


def soft_colours(random: Generator, height: int, width: int) -> Float32[np.ndarray, "h w 3"]:
    """Random colours that change smoothly from place to place, as fractions."""
    picture = np.broadcast_to(random_colours(random, 1), (height, width, 3)).copy()
    for octave, cells in enumerate(CELLS):
        shape = (cells + 1, cells + 1)
        grid = random.uniform(-0.35, 0.35, (*shape, 1)) + random.uniform(-0.15, 0.15, (*shape, 3))
        across = np.einsum("wl,klc->kwc", _between(width, cells), grid.astype(np.float32) / 2**octave)
        picture += np.einsum("rk,kwc->rwc", _between(height, cells), across)
    return np.clip(picture, 0, 1, out=picture)


def random_colours(random: Generator, count: int) -> Float32[np.ndarray, "n 3"]:
    """Colours as fractions, from grey to full and from dark to bright."""
    pure = random.uniform(0, 1, (count, 3))
    pure = (pure - pure.min(1, keepdims=True)) / np.ptp(pure, axis=1, keepdims=True)
    vivid, bright = random.uniform(0, 0.85, (count, 1)), random.uniform(0.3, 1, (count, 1))
    return (bright * (1 - vivid + vivid * pure)).astype(np.float32)


def _between(size: int, cells: int) -> np.ndarray:
    """Weights (size, cells + 1) of the grid's lines at each sample, which change smoothly."""
    place = (np.arange(size, dtype=np.float32) + 0.5) * (cells / size)
    share = np.clip(1 - np.abs(place[:, None] - np.arange(cells + 1, dtype=np.float32)), 0, 1)
    return share * share * (3 - 2 * share)


def _paint(picture: np.ndarray, random: Generator) -> None:
    """One figure of two colours into the picture, brighter on one side than on the other as a lit surface is."""
    size = np.array(picture.shape[:2])
    centre, reach = random.uniform(0, size), random.uniform(0.06, 0.3) * int(size.min())
    low = np.clip(np.floor(centre - REACH * reach), 0, size).astype(int)
    high = np.clip(np.ceil(centre + REACH * reach), 0, size).astype(int)
    y, x = ((np.arange(a, b, dtype=np.float32) + (0.5 - c)) / reach for a, b, c in zip(low, high, centre.tolist()))
    angle, y = random.uniform(0, 2 * math.pi), y[:, None]
    u, v = math.cos(angle) * x + math.sin(angle) * y, math.cos(angle) * y - math.sin(angle) * x
    v /= random.uniform(0.35, 1)
    inside = FIGURES[int(random.integers(len(FIGURES)))](u, v)
    second = PATTERNS[int(random.integers(len(PATTERNS)))](random.uniform(2, 5) * u, random.uniform(2, 5) * v)
    lit = 1 - random.uniform(0, 0.4) * (1 + u[inside])
    colours = random_colours(random, 2)[second[inside].astype(np.intp)]
    picture[low[0] : high[0], low[1] : high[1]][inside] = colours * lit[:, None]


def _ellipse(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return u * u + v * v < 1


def _ring(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.abs(u * u + v * v - 0.7) < 0.3


def _rectangle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (np.abs(u) < 0.8) & (np.abs(v) < 0.8)


def _triangle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (v > -0.5) & (v + 1.7 * np.abs(u) < 1)


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    across, along = np.abs(u), np.abs(v)
    return (np.maximum(across, along) < 1) & (np.minimum(across, along) < 0.3)


def _plain(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.zeros(u.shape, bool)


def _stripes(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.floor(u) % 2 > 0


def _squares(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (np.floor(u) + np.floor(v)) % 2 > 0


FIGURES = (_ellipse, _ring, _rectangle, _triangle, _cross)
"""Where a figure about the origin is."""
REACH = 1.15
"""No figure reaches farther."""
PATTERNS = (_plain, _stripes, _squares)
"""Where it has its second colour."""
