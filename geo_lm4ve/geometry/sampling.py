"""Farthest point sampling."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from geo_lm4ve.geometry import checks, kernels


@torch.no_grad()
def farthest_point_sample(
    points: Float[Tensor, "b n 3"],
    count: int,
    *,
    start: int = 0,
    skip_near_origin: float = 0.0,
    finite: bool = False,
) -> Int[Tensor, "b k"]:
    """Indices of ``count`` points per cloud, each the farthest from those before it (farthest point sampling).

    The first k indices are the sample of k points: a longer sample serves all shorter ones. Once every distinct
    position is taken, indices repeat.

    Args:
        points: (B, N, 3) clouds, any unit.
        count: k, points to take from each cloud, 1 <= k <= N.
        start: index of the first point.
        skip_near_origin: squared distance from the origin within which a point is never taken, except as the start.
            1e-3 reproduces ``pointnet2_ops`` and so the published Point-BERT numbers; the result then depends on
            where the cloud lies. 0 switches it off.
        finite: the coordinates are known to be finite, and so no device is asked.

    Returns:
        (B, k) int64 indices; no gradient.

    Raises:
        ValueError: wrong shape or dtype, coordinates that are not finite, ``count`` or ``start`` out of range.
    """
    clouds = checks.working("points", points, finite)
    checks.count("count", count, clouds.shape[1])
    if not 0 <= start < clouds.shape[1]:
        raise ValueError(f"start must be an index of the {clouds.shape[1]} points, got {start}")
    if skip_near_origin < 0:
        raise ValueError(f"skip_near_origin is a squared distance >= 0, got {skip_near_origin}; 0 switches it off")
    return kernels.farthest_point_sample(clouds, count, start, skip_near_origin)
