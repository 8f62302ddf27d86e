"""Where seed points should vote, and how far off they vote."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from geo_lm4ve.indoor.detection import Detection
from geo_lm4ve.indoor.losses.means import mean_where
from geo_lm4ve.indoor.objects import RoomObjects
from geo_lm4ve.tokens import take


@torch.no_grad()
def object_centers(
    points: Float[Tensor, "s n 3"], instances: Int64[Tensor, "s n"], objects: int
) -> Float[Tensor, "s k 3"]:
    """Centre of the smallest box round the points of each of K objects; 0 for an object without points.

    Of the points, not the centre of ``RoomObjects.boxes``: after an augmentation that turns a scan, the two differ
    (ScanQA ``lib/dataset.py`` makes votes of the augmented points).

    Args:
        points: (S, N, 3) [m].
        instances: (S, N) row of the object that each point belongs to; -1 for none.
        objects: K.
    """
    rows = (instances + 1)[..., None].expand_as(points)  # row 0 takes the points of none
    size = (len(points), objects + 1, 3)
    low = points.new_full(size, torch.inf).scatter_reduce(1, rows, points, "amin")
    high = points.new_full(size, -torch.inf).scatter_reduce(1, rows, points, "amax")
    return torch.where(low <= high, (low + high) / 2, 0.0)[:, 1:]


def vote_loss(detection: Detection, points: Float[Tensor, "s n 3"], objects: RoomObjects) -> Float[Tensor, ""]:
    """Mean L1 distance [m] between the votes of seed points on objects and the centres of their objects.

    VoteNet has three targets for every point and takes the nearest; for ScanNet the three are one (``lib/dataset.py``:
    "make 3 votes identical").
    """
    belongs = objects.instances.take_along_dim(detection.seed_indices, 1)
    centers = object_centers(points, objects.instances, objects.boxes.shape[1]).to(detection.votes.dtype)
    distance = (detection.votes - take(centers, belongs.clamp(min=0))).abs().sum(-1)
    return mean_where(distance, belongs >= 0)
