"""VoteNet's losses of proposals: is there an object, where, how large, of which class?"""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float, Int64
from torch import Tensor

from geo_lm4ve.indoor.detection import Detection
from geo_lm4ve.indoor.losses.matching import Matching, squared_distances
from geo_lm4ve.indoor.losses.means import mean_where
from geo_lm4ve.indoor.objects import RoomObjects
from geo_lm4ve.tokens import take

OBJECTNESS = (0.2, 0.8)
"""Weights of "no object" and "object" in the cross entropy (VoteNet ``models/loss_helper.py``)."""
OF_CLASSES = 0.1
"""Weight of the classes of heading and of size beside the residuals, in the loss of a box."""


def objectness_loss(detection: Detection, matching: Matching) -> Float[Tensor, ""]:
    """Weighted cross entropy of "is an object", mean over the proposals that are counted."""
    weights = detection.objectness.new_tensor(OBJECTNESS)
    losses = _cross_entropy(detection.objectness, matching.positive.long(), weights)
    return mean_where(losses, matching.counted)


def box_loss(detection: Detection, objects: RoomObjects, matching: Matching) -> Float[Tensor, ""]:
    """Centre + 0.1 heading class + heading + 0.1 size class + size."""
    classes = heading_class_loss(detection, matching) + size_class_loss(detection, objects, matching)
    residuals = heading_loss(detection, matching) + size_loss(detection, objects, matching)
    return center_loss(detection, objects, matching) + OF_CLASSES * classes + residuals


def center_loss(detection: Detection, objects: RoomObjects, matching: Matching) -> Float[Tensor, ""]:
    """Squared distance [m^2] both ways: each positive proposal to its nearest true centre, and the other way round.

    Which centre is nearest is asked of the proposed centre here, not of the cluster.
    """
    squared = squared_distances(detection.center, objects)
    return mean_where(squared.amin(2), matching.positive) + mean_where(squared.amin(1), objects.valid)


def heading_class_loss(detection: Detection, matching: Matching) -> Float[Tensor, ""]:
    """Cross entropy of the heading; with one heading it is 0."""
    return mean_where(_cross_entropy(detection.heading_scores, matching.assigned * 0), matching.positive)


def heading_loss(detection: Detection, matching: Matching) -> Float[Tensor, ""]:
    """Huber loss of the heading's residual, in units of pi; boxes of ScanNet have none."""
    residuals = detection.heading_residuals[..., 0]
    return mean_where(_huber(residuals, residuals.new_zeros(residuals.shape)), matching.positive)


def size_class_loss(detection: Detection, objects: RoomObjects, matching: Matching) -> Float[Tensor, ""]:
    """Cross entropy of the class whose mean size is taken: that of the object."""
    losses = _cross_entropy(detection.size_scores, _classes(objects, matching))
    return mean_where(losses, matching.positive)


def size_loss(detection: Detection, objects: RoomObjects, matching: Matching) -> Float[Tensor, ""]:
    """Huber loss of the size, less the mean size of the object's class and in units of it; mean over three sides."""
    classes = _classes(objects, matching)
    mean = detection.mean_sizes[classes]
    wanted = (take(objects.boxes[..., 3:], matching.assigned).to(mean.dtype) - mean) / mean
    found = take(detection.size_residuals.flatten(0, 1), classes.flatten()[:, None]).squeeze(1).view_as(wanted)
    return mean_where(_huber(found, wanted).mean(-1), matching.positive)


def semantic_loss(detection: Detection, objects: RoomObjects, matching: Matching) -> Float[Tensor, ""]:
    """Cross entropy of the class of the object that a positive proposal stands for."""
    losses = _cross_entropy(detection.class_scores, _classes(objects, matching))
    return mean_where(losses, matching.positive)


def _classes(objects: RoomObjects, matching: Matching) -> Int64[Tensor, "s p"]:
    """Class of the object of each proposal."""
    return objects.classes.take_along_dim(matching.assigned, 1)


def _cross_entropy(
    scores: Float[Tensor, "s p c"], classes: Int64[Tensor, "s p"], weights: Float[Tensor, " c"] | None = None
) -> Float[Tensor, "s p"]:
    return F.cross_entropy(scores.transpose(1, 2), classes, weights, reduction="none")


def _huber(found: Float[Tensor, "*n"], wanted: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    return F.huber_loss(found, wanted, reduction="none")
