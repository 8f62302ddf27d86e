"""Values at indices, and neighbourhoods relative to their centres."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

from geo_lm4ve.geometry.neighbours import ball_query, knn


def gather(values: Float[Tensor, "b n c"], idx: Int[Tensor, "b ..."]) -> Float[Tensor, "b ... c"]:
    """``values[b, idx[b, ...]]`` for every cloud of a batch; gradients flow to the values.

    Args:
        values: (B, N, C), e.g. coordinates or features.
        idx: (B, ...) int64 indices into N.
    """
    if len(values) != len(idx):
        raise ValueError(f"values and idx must have one batch size, got {len(values)} and {len(idx)}")
    flat = idx.reshape(len(idx), -1, 1).expand(-1, -1, values.shape[-1])
    return values.gather(1, flat).reshape(*idx.shape, values.shape[-1])


def group(
    points: Float[Tensor, "b n 3"], centers: Float[Tensor, "b g 3"], k: int, *, finite: bool = False
) -> tuple[Float[Tensor, "b g k 3"], Int[Tensor, "b g k"]]:
    """The k nearest points of every centre, as offsets from it and their indices; no scaling (Point-BERT's groups).

    A centre that is one of the points gives an exact zero offset. ``gather(features, indices)`` gives the features;
    ``finite`` as in ``neighbours.knn``.

    Raises:
        ValueError: as ``neighbours.knn``.
    """
    indices = knn(centers, points, k, finite=finite)
    return gather(points, indices) - centers[:, :, None], indices


def group_by_radius(
    points: Float[Tensor, "b n 3"],
    centers: Float[Tensor, "b g 3"],
    radius: float,
    k: int,
    *,
    scaled: bool = False,
    finite: bool = False,
) -> tuple[Float[Tensor, "b g k 3"], Int[Tensor, "b g k"]]:
    """The first k points closer to every centre than ``radius``, as offsets from it, and their indices.

    Which points are taken, and what fills a group with fewer, says ``neighbours.ball_query``; where there is none, it
    is point 0, however far. Gradients flow to points and centres; ``gather(features, indices)`` gives the features.

    Args:
        points: (B, N, 3).
        centers: (B, G, 3), in the unit of the points.
        radius: > 0, in the unit of the points.
        k: points per group, >= 1.
        scaled: offsets are divided by the radius.
        finite: as in ``neighbours.knn``.

    Raises:
        ValueError: as ``neighbours.ball_query``.
    """
    indices = ball_query(centers, points, radius, k, finite=finite)
    offsets = gather(points, indices) - centers[:, :, None]
    return offsets / radius if scaled else offsets, indices
