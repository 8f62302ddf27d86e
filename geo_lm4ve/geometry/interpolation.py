"""Features carried from the points of one cloud to those of another."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.geometry import checks
from geo_lm4ve.geometry.grouping import gather
from geo_lm4ve.geometry.neighbours import three_nn

EPSILON = 1e-8
"""Added to every distance, in the unit of the points: a query on a point takes that point's features."""


def interpolate(
    queries: Float[Tensor, "b m 3"],
    points: Float[Tensor, "b n 3"],
    features: Float[Tensor, "b n c"],
    *,
    finite: bool = False,
) -> Float[Tensor, "b m c"]:
    """Features at the queries: the mean over the three nearest points, weighted by 1 / (distance + 1e-8).

    As PointNet++ does it. Gradients flow to the features only, not through the weights.

    Args:
        queries: (B, M, 3).
        points: (B, N, 3) with N >= 3, in the unit of the queries.
        features: (B, N, C), one row per point.
        finite: as in ``neighbours.three_nn``.

    Raises:
        ValueError: as ``neighbours.three_nn``; another number of features than of points.
    """
    checks.features("features", features, points, features.shape[-1])
    distances, indices = three_nn(queries, points, finite=finite)
    weights = (distances + EPSILON).reciprocal()
    weights = (weights / weights.sum(dim=-1, keepdim=True)).to(features.dtype)
    return (gather(features, indices) * weights[..., None]).sum(dim=2)
