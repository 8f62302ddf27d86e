"""Values at indices, and neighbourhoods relative to their centres."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

from geo_lm4ve.geometry.neighbours import knn


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
) -> Float[Tensor, "b g k 3"]:
    """The k nearest points of every centre, as offsets from it; no scaling by a radius (Point-BERT's groups).

    A centre that is one of the points gives an exact zero offset. ``finite`` as in ``neighbours.knn``.

    Raises:
        ValueError: as ``neighbours.knn``.
    """
    return gather(points, knn(centers, points, k, finite=finite)) - centers[:, :, None]
