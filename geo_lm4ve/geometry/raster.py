"""Which triangle is seen at every sample of a picture: rows of each triangle, samples of each row, nearest wins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

EDGE = 1e-9
"""Samples: what lies on the edge of two triangles belongs to both in spite of rounding, so that no gap opens."""


class Fragments(NamedTuple):
    """What is seen, at the samples where anything is.

    Attributes:
        sample: number of the sample, row by row; each at most once, ascending.
        face: the triangle that is nearest there.
        weights: of its corners on the screen: the sample is their weighted mean.
    """

    sample: Int[np.ndarray, " n"]
    face: Int[np.ndarray, " n"]
    weights: Float[np.ndarray, "n 3"]


def rasterise(corners: Float[np.ndarray, "f 3 3"], height: int, width: int) -> Fragments:
    """The nearest triangle at the samples of a (height, width) grid.

    Args:
        corners: column, row and nearness of each corner of each triangle; sample (i, j) is at column j + 0.5 and row
            i + 0.5. Nearness is any number that is linear on the screen and larger for what is nearer.
        height: rows of the grid.
        width: columns of the grid.
    """
    planes, kept = _planes(*np.moveaxis(corners, (2, 1), (0, 1))[:2])
    face, row = _rows(corners[kept, :, 1].T, height)
    face = kept[face]
    first, last = _columns(planes[..., face], row + 0.5, width)
    counts = np.maximum(last - first + 1, 0)
    face, row, column = (np.repeat(each, counts) for each in (face, row, first))
    return _nearest(corners, planes, face, row, column + _places(counts), (height, width))


def _planes(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of corners (3, f): a, b and c of their weights a column + b row + c, (3 corners, 3, f); and who has an area."""
    x1, x2, y1, y2 = x[[1, 2, 0]], x[[2, 0, 1]], y[[1, 2, 0]], y[[2, 0, 1]]
    planes = np.stack([y1 - y2, x2 - x1, x1 * y2 - x2 * y1], 1)
    area = planes[:, 2].sum(0)
    kept = np.flatnonzero(np.isfinite(area) & (area != 0))
    planes[..., kept] /= area[kept]
    return planes, kept


def _rows(y: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Every triangle, of corners (3, f), with each row of samples that it reaches."""
    first = np.ceil(np.clip(y.min(0) - 0.5 - EDGE, 0, height)).astype(np.int64)
    last = np.floor(np.clip(y.max(0) - 0.5 + EDGE, -1, height - 1)).astype(np.int64)
    counts = np.maximum(last - first + 1, 0)
    return np.repeat(np.arange(y.shape[1]), counts), np.repeat(first, counts) + _places(counts)


def _columns(planes: np.ndarray, y: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last column of each row of a triangle: where no weight is negative."""
    slope, rest = planes[:, 0], planes[:, 1] * y + planes[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        border = -rest / slope
    low = np.where(slope > 0, border, -np.inf).max(0)
    high = np.where(slope < 0, border, np.inf).min(0)
    outside = ((slope == 0) & (rest < -EDGE)).any(0)
    first = np.ceil(np.clip(low - 0.5 - EDGE, 0, width)).astype(np.int64)
    last = np.floor(np.clip(high - 0.5 + EDGE, -1, width - 1)).astype(np.int64)
    return first, np.where(outside, -1, last)


def _places(counts: np.ndarray) -> np.ndarray:
    """0, 1, ... within each run of ``counts``."""
    return np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)


def _nearest(
    corners: np.ndarray,
    planes: np.ndarray,
    face: np.ndarray,
    row: np.ndarray,
    column: np.ndarray,
    size: tuple[int, int],
) -> Fragments:
    """Of all triangles at a sample the nearest; of several that are equally near the last."""
    a, b, c = np.einsum("ckf,fc->kf", planes, corners[..., 2])[:, face]
    nearness = a * (column + 0.5) + b * (row + 0.5) + c
    sample, buffer = row * size[1] + column, np.full(size[0] * size[1], -np.inf)
    np.maximum.at(buffer, sample, nearness)
    won = nearness == buffer[sample]
    seen = np.full(size[0] * size[1], -1)
    seen[sample[won]] = face[won]  # of a sample that comes twice, the last stays
    sample = np.flatnonzero(seen >= 0)
    row, column = np.divmod(sample, size[1])
    a, b, c = planes[..., seen[sample]].transpose(1, 0, 2)
    return Fragments(sample, seen[sample], (a * (column + 0.5) + b * (row + 0.5) + c).T)
