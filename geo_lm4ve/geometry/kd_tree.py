"""Neighbours by scipy's kd-tree, on CPUs: the indices of ``reference.nearest``, in ties too, and of its ball query."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from geo_lm4ve.geometry import reference

FEWEST_POINTS, FEWEST_QUERIES, FEWEST_PAIRS, POINTS_PER_NEIGHBOUR = 256, 32, 1 << 16, 32
"""Per cloud. Below these sizes the reference is about as fast or faster (``benchmarks/point_ops.py``)."""

FEWEST_IN_BALLS = 1 << 18
"""Pairs of a query and a point per cloud; likewise."""

ASKED, CROWDED = 32, 1 / 16
"""Queries of a cloud that are asked first how many points they hit; above this part of all points the reference is
faster, which takes equally long however many they are."""

SPARE = 2
"""Neighbours asked for beyond k. They show where the k-th is a tie, and a point given twice causes none at the end."""

SLACK = 32
"""Roundings by which a squared distance can at most be off, here and in the tree; about six are possible."""


def pays(points: int, queries: int, k: int) -> bool:
    """Whether building a tree of a cloud and searching it is faster than comparing each query with each point."""
    enough = points >= FEWEST_POINTS and queries >= FEWEST_QUERIES and points * queries >= FEWEST_PAIRS
    return enough and points >= POINTS_PER_NEIGHBOUR * k


def pays_in_balls(points: int, queries: int) -> bool:
    """The same of the points in a ball round each query."""
    return points * queries >= FEWEST_IN_BALLS


def nearest(
    queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"], k: int
) -> tuple[Float[Tensor, "b m k"], Int[Tensor, "b m k"]]:
    """Squared distances and indices of the k nearest points, nearest first; of equally far ones, lower index first.

    Clouds, and queries where there are few clouds, are spread over as many threads as PyTorch has. Rows where rounding
    or a tie could hide a point from the tree are found anew by ``reference.nearest``.
    """
    distances, indices = _candidates(queries.numpy(), points.numpy(), min(k + SPARE, points.shape[1]))
    squared = _squared(queries.numpy(), points.numpy(), indices)
    _sort_ties(squared.reshape(-1, squared.shape[-1]), indices.reshape(-1, indices.shape[-1]))
    found = torch.from_numpy(squared[..., :k].copy()), torch.from_numpy(indices[..., :k].copy())
    if indices.shape[-1] < points.shape[1]:
        unsure = torch.from_numpy(squared[..., k - 1] >= _all_others(distances[..., -1], squared.dtype))
        for cloud in unsure.any(dim=1).nonzero()[:, 0].tolist():
            rows = unsure[cloud]
            again = reference.nearest(queries[cloud : cloud + 1, rows], points[cloud : cloud + 1], k)
            for values, better in zip(found, again):
                values[cloud, rows] = better[0]
    return found


def ball_query(
    queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"], radius: float, k: int
) -> Int[Tensor, "b m k"]:
    """First k points by index closer than ``radius``; the first hit fills the rest, 0 where there is none."""
    found = np.empty((*queries.shape[:2], k), dtype=np.int64)

    def search(cloud: int) -> None:
        asked, given = queries[cloud], points[cloud]
        some = reference.hits(asked[None, :: max(1, len(asked) // ASKED)], given[None], radius)
        if some.double().mean() > CROWDED:
            found[cloud] = reference.ball_query(asked[None], given[None], radius, k)[0].numpy()
        else:
            found[cloud] = _first_hits(*_hits(asked.numpy(), given.numpy(), radius), len(asked), k)

    _for_each(search, len(points))
    return torch.from_numpy(found)


def _hits(queries: np.ndarray, points: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Which query is closer to which point than ``radius``: rows of both, by query, then by point."""
    info = np.finfo(points.dtype)
    limit = np.square(points.dtype.type(radius))
    reach = np.sqrt(float(limit) * (1 + SLACK * info.eps) + SLACK * info.tiny)
    pairs = _tree(queries).sparse_distance_matrix(_tree(points), reach, output_type="ndarray")
    query, point = pairs["i"], pairs["j"]
    x, y, z = ((queries[query, axis] - points[point, axis]) ** 2 for axis in range(3))
    hit = x + y + z < limit
    query, point = np.divmod(np.sort(query[hit] * len(points) + point[hit]), len(points))
    return query, point


def _first_hits(query: np.ndarray, point: np.ndarray, queries: int, k: int) -> np.ndarray:
    counts = np.bincount(query, minlength=queries)
    place = np.arange(len(query)) - np.repeat(np.cumsum(counts) - counts, counts)
    found = np.zeros((queries, k), dtype=np.int64)
    found[query[place == 0]] = point[place == 0, None]
    kept = place < k
    found[query[kept], place[kept]] = point[kept]
    return found


def _candidates(queries: np.ndarray, points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances in float64 and indices (b, m, count) as the tree finds them, nearest first."""
    distances = np.empty((*queries.shape[:2], count))
    indices = np.empty(distances.shape, dtype=np.int64)
    workers = max(1, torch.get_num_threads() // max(1, len(points)))

    def search(cloud: int) -> None:
        found = _tree(points[cloud]).query(queries[cloud], count, workers=workers)
        distances[cloud], indices[cloud] = (rows.reshape(-1, count) for rows in found)

    _for_each(search, len(points))
    return distances, indices


def _tree(points: np.ndarray) -> Any:
    from scipy.spatial import cKDTree  # heavy, and not needed on a GPU

    return cKDTree(points, balanced_tree=False, compact_nodes=False)  # sooner built, and searched as fast


def _for_each(search: Callable[[int], None], clouds: int) -> None:
    """Every cloud once, by as many threads as PyTorch has."""
    if (threads := min(torch.get_num_threads(), clouds)) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(search, range(clouds)))  # the list brings errors out
    else:
        for cloud in range(clouds):
            search(cloud)


def _squared(queries: np.ndarray, points: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Squared distances (b, m, count) with the reference's roundings; the tree's are those of float64."""
    cloud = np.arange(len(points))[:, None, None]
    x, y, z = ((queries[:, :, None, axis] - points[..., axis][cloud, indices]) ** 2 for axis in range(3))
    return x + y + z


def _all_others(farthest: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """What the squared distances of all points but the candidates, as numbers of this dtype, are not below."""
    info = np.finfo(dtype)
    return farthest**2 * (1 - SLACK * info.eps) - SLACK * info.tiny


def _sort_ties(squared: np.ndarray, indices: np.ndarray) -> None:
    """Rows (r, count) that are not strictly ascending are sorted in place, by distance and then by index."""
    rows = np.flatnonzero((squared[:, 1:] <= squared[:, :-1]).any(axis=1))
    order = np.lexsort((indices[rows], squared[rows]))
    squared[rows] = np.take_along_axis(squared[rows], order, axis=1)
    indices[rows] = np.take_along_axis(indices[rows], order, axis=1)
