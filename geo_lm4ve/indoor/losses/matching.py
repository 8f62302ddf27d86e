"""Which proposals stand for which true object."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from geo_lm4ve.indoor.objects import RoomObjects

NEAR, FAR = 0.3, 0.6
"""Metres from a cluster to the nearest true centre: below the first it is an object, above the second it is none, and
in between nobody says (VoteNet ``models/loss_helper.py``)."""
SMALL = 1e-6
"""Added to a squared distance [m^2] before its root is taken, there."""


@dataclass(frozen=True)
class Matching:
    """Proposals of S scans beside the true objects.

    Attributes:
        assigned: (S, P) row of the object whose centre is nearest to the cluster of each proposal.
        positive: (S, P) True where that centre is nearer than ``NEAR``.
        counted: (S, P) False in the grey zone, and in scans of which no object is known.
    """

    assigned: Int64[Tensor, "s p"]
    positive: Bool[Tensor, "s p"]
    counted: Bool[Tensor, "s p"]


@torch.no_grad()
def match_clusters(clusters: Float[Tensor, "s p 3"], objects: RoomObjects) -> Matching:
    """The nearest true object of every proposal.

    Padding is no object here. In VoteNet's code it lies at the origin, and a proposal near the origin counts as one.
    """
    nearest, assigned = squared_distances(clusters, objects).min(-1)
    distance = (nearest + SMALL).sqrt()
    known = objects.valid.any(-1, keepdim=True)
    positive = distance < NEAR
    return Matching(assigned, positive, known & (positive | (distance > FAR)))


def squared_distances(centers: Float[Tensor, "s p 3"], objects: RoomObjects) -> Float[Tensor, "s p k"]:
    """Squared distance [m^2] of every proposal to every true centre; infinite to padding."""
    true = objects.boxes[..., :3].to(centers.dtype)
    squared = (centers[:, :, None] - true[:, None]).square().sum(-1)
    return squared.masked_fill(~objects.valid[:, None], torch.inf)
