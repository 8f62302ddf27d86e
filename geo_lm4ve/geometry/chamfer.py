"""Chamfer distance between point sets, exact: every pair is looked at."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def chamfer_l2(one: Float[Tensor, "s n 3"], other: Float[Tensor, "s m 3"]) -> Float[Tensor, " s"]:
    """Symmetric Chamfer distance of S pairs of sets, of squared distances: the "CD-L2" of the field.

    The mean over the points of ``one`` of the squared distance to the nearest point of ``other``, and the same the
    other way round, added up (not halved). Squares are those of differences of coordinates, which stay exact where
    points coincide; |a|^2 - 2 ab + |b|^2 does not.

    Args:
        one: (S, N, 3).
        other: (S, M, 3).

    Returns:
        (S,) in the squared unit of the coordinates; gradients flow to both.
    """
    squared = (one[:, :, None] - other[:, None]).square().sum(-1)
    return squared.amin(2).mean(1) + squared.amin(1).mean(1)
