"""The point operations in plain torch: they run everywhere, and every faster implementation is compared with them.

Arguments are taken as checked; the public functions are in ``sampling.py`` and ``neighbours.py``.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

PAIRS_AT_ONCE = {"cpu": 1 << 19, "cuda": 1 << 25}
"""Entries of the query-point distance matrix held at one time: 2 MiB, and keys of twice that, stay in a CPU's cache;
128 MiB fill a GPU."""

SERIAL = 32_768
"""PyTorch's CPU kernels use one thread up to so many elements."""


def farthest_point_sample(
    points: Float[Tensor, "b n 3"], count: int, start: int, skip_near_origin: float
) -> Int[Tensor, "b k"]:
    """Indices of farthest point sampling; of equally far points the one with the lowest index is taken."""
    # Thousands of tiny steps: waiting for a second thread after each costs more than it saves, 30 times more on a
    # busy machine.
    at_once = len(points) if points.is_cuda else max(1, SERIAL // points.shape[1])
    parts = [_farthest_point_sample(part, count, start, skip_near_origin) for part in points.split(at_once)]
    return torch.cat(parts)


def _farthest_point_sample(points: Tensor, count: int, start: int, skip_near_origin: float) -> Tensor:
    x, y, z = (points[..., axis].contiguous() for axis in range(3))
    nearest = torch.full_like(x, torch.inf)
    if skip_near_origin > 0:
        nearest.masked_fill_(points.square().sum(-1) <= skip_near_origin, -1.0)
    current = torch.full((len(points), 1), start, device=points.device)
    chosen = torch.empty((count, len(points), 1), dtype=torch.long, device=points.device)
    # The coordinates are kept apart and every step works in place: 4-5 times faster than (b, n, 3) temporaries.
    squared, term = torch.empty_like(x), torch.empty_like(x)
    for step in range(count):
        chosen[step] = current
        torch.sub(x, x.gather(1, current), out=squared).square_()
        for axis in (y, z):
            torch.sub(axis, axis.gather(1, current), out=term)
            squared.addcmul_(term, term)
        torch.minimum(nearest, squared, out=nearest)
        current = nearest.argmax(1, keepdim=True)
    return chosen[..., 0].T


def nearest(
    queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"], k: int
) -> tuple[Float[Tensor, "b m k"], Int[Tensor, "b m k"]]:
    """Squared distances and indices of the k nearest points, nearest first; of equally far ones, lower index first."""
    found = [_smallest(squared, k) for squared in _squared_distances(queries, points)]
    squared, indices = (torch.cat(parts, dim=1) for parts in zip(*found))
    return squared, indices


def _smallest(squared: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k smallest of (b, m, n) and where they stand. ``topk`` alone takes any of equal entries."""
    if squared.dtype == torch.float64:
        values, indices = squared.sort(dim=-1, stable=True)
        return values[..., :k], indices[..., :k]
    # The bits of floats >= 0 are ordered as the floats are. With the index below them no two numbers are equal.
    index = torch.arange(squared.shape[-1], device=squared.device)
    bits = squared.view(torch.int32).long().bitwise_left_shift_(32).bitwise_or_(index)
    found = bits.topk(k, largest=False).values
    return (found >> 32).int().view(torch.float32), found & 0xFFFFFFFF


def ball_query(
    queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"], radius: float, k: int
) -> Int[Tensor, "b m k"]:
    """First k points by index closer than ``radius``; the first hit fills the rest, 0 where there is none."""
    return torch.cat([_first_hits(hit, k) for hit in _hits(queries, points, radius)], dim=1)


def hits(queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"], radius: float) -> Bool[Tensor, "b m n"]:
    """Which points are closer to which query than ``radius``."""
    return torch.cat(list(_hits(queries, points, radius)), dim=1)


def _hits(queries: Tensor, points: Tensor, radius: float) -> Iterator[Tensor]:
    limit = points.new_full((), radius).square()
    return (squared < limit for squared in _squared_distances(queries, points))


def _squared_distances(queries: Tensor, points: Tensor) -> Iterator[Tensor]:
    """Squared distances (b, m', n) of consecutive stretches of the queries.

    Differences are squared, not expanded into products: a point is then at distance exactly 0 from itself. They are
    added up one by one, x first, and every operation rounds (no fused multiply-add): the numbers are the same wherever
    they are computed, and so it is the same points that are equally far.
    """
    at_once = PAIRS_AT_ONCE["cuda" if points.is_cuda else "cpu"]
    axes = [points[:, None, :, axis].contiguous() for axis in range(3)]
    for part in queries.split(max(1, at_once // (len(points) * points.shape[1] or 1)), dim=1):
        squared = (part[..., 0, None] - axes[0]).square_()
        term = torch.empty_like(squared)
        for axis in (1, 2):
            torch.sub(part[..., axis, None], axes[axis], out=term)
            squared.add_(term.square_())
        yield squared


def _first_hits(hit: Tensor, k: int) -> Tensor:
    """Indices (b, m, k) of the first k true entries along the last axis of (b, m, n), padded with the first."""
    points = hit.shape[-1]
    order = torch.where(hit, torch.arange(points, device=hit.device, dtype=torch.int32), points)
    first = order.topk(min(k, points), largest=False, sorted=True).values.long()
    first = torch.nn.functional.pad(first, (0, k - first.shape[-1]), value=points)
    filled = torch.where(first == points, first[..., :1], first)
    return torch.where(filled == points, 0, filled)
