"""Neighbours of query points in a cloud: k nearest, within a radius, three nearest."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from geo_lm4ve.geometry import checks, kernels


@torch.no_grad()
def knn(
    queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"], k: int, *, finite: bool = False
) -> Int[Tensor, "b m k"]:
    """Indices of the k nearest points of every query, nearest first.

    A query that is itself one of the points finds itself at distance 0. Of equally far points the one with the lower
    index comes first.

    Args:
        queries: (B, M, 3).
        points: (B, N, 3), in the unit of the queries.
        k: neighbours, 1 <= k <= N.
        finite: the coordinates are known to be finite, and so no device is asked.

    Raises:
        ValueError: wrong shapes or dtypes, coordinates that are not finite, k out of range.
    """
    queries, points = checks.pair(queries, points, finite)
    checks.count("k", k, points.shape[1])
    return kernels.knn(queries, points, k)


@torch.no_grad()
def ball_query(
    queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"], radius: float, k: int, *, finite: bool = False
) -> Int[Tensor, "b m k"]:
    """Indices of k points closer to each query than ``radius``, as PointNet++ takes them.

    The first k hits in index order (not the nearest), distance strictly below the radius. With fewer hits the first
    one fills the rest; with none the row is 0. The result depends on the order of the points. k may exceed N.

    Args:
        queries: (B, M, 3).
        points: (B, N, 3), in the unit of the queries.
        radius: > 0, in the unit of the points.
        k: indices per query, >= 1.
        finite: the coordinates are known to be finite, and so no device is asked.

    Raises:
        ValueError: wrong shapes or dtypes, coordinates that are not finite, ``radius`` or ``k`` out of range.
    """
    queries, points = checks.pair(queries, points, finite)
    checks.count("the number of points", points.shape[1], points.shape[1])
    if not (radius > 0 and math.isfinite(radius)):
        raise ValueError(f"radius must be a positive number, got {radius}")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    return kernels.ball_query(queries, points, radius, k)


@torch.no_grad()
def three_nn(
    queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"], *, finite: bool = False
) -> tuple[Float[Tensor, "b m 3"], Int[Tensor, "b m 3"]]:
    """Distances and indices of the three nearest points of every query, nearest first (for interpolation).

    Of equally far points the one with the lower index comes first.

    Args:
        queries: (B, M, 3).
        points: (B, N, 3) with N >= 3, in the unit of the queries.
        finite: the coordinates are known to be finite, and so no device is asked.

    Raises:
        ValueError: wrong shapes or dtypes, coordinates that are not finite, fewer than three points.
    """
    queries, points = checks.pair(queries, points, finite)
    checks.count("k", 3, points.shape[1])
    return kernels.three_nn(queries, points)
