"""Losses of questions: the answer, the object that it is about, that object's class, and where the asker stands."""

from __future__ import annotations

from enum import Enum

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from geo_lm4ve.geometry.boxes import box_iou
from geo_lm4ve.indoor.detection import Detection
from geo_lm4ve.indoor.losses.means import mean_where
from geo_lm4ve.indoor.objects import RoomObjects

AnswerLoss = Enum("AnswerLoss", ["bce", "ce"])
"""``bce``: each answer of the vocabulary is right or wrong by itself, summed over the vocabulary; ``ce``: one answer is
right, the first of the right ones in the order of the vocabulary. ``bce`` is the default of ScanQA and of SQA3D
(``--answer_cls_loss`` of both ``scripts/train.py``)."""
FLOOR = 1e-8
"""Added to a probability before its logarithm is taken (ScanQA ``lib/loss.py``, SoftmaxRankingLoss)."""


def answer_loss(
    scores: Float[Tensor, "b a"], targets: Float[Tensor, "b a"], kind: AnswerLoss = AnswerLoss.bce
) -> Float[Tensor, ""]:
    """Loss of the answers, mean over the questions with a right answer in the vocabulary.

    ScanQA and SQA3D train on no others; here they may be in a batch and are passed over.
    """
    right = targets > 0
    if kind is AnswerLoss.bce:
        losses = F.binary_cross_entropy_with_logits(scores, targets.to(scores.dtype), reduction="none").sum(-1)
    else:
        losses = F.cross_entropy(scores, right.to(torch.uint8).argmax(-1), reduction="none")
    return mean_where(losses, right.any(-1))


def reference_loss(
    references: Float[Tensor, "b p"],
    detection: Detection,
    rooms: Int64[Tensor, " b"],
    objects: RoomObjects,
    target: Int64[Tensor, " b"],
) -> Float[Tensor, ""]:
    """Cross entropy of the proposal whose box overlaps the target most, over all proposals of the scan.

    Where no proposal overlaps it, the first one is the right one, as in ScanQA. Boxes get no gradient.
    """
    best = best_proposals(detection, rooms, objects, target)
    probabilities = references.softmax(-1).take_along_dim(best[:, None], 1).squeeze(1)
    return mean_where(-(probabilities + FLOOR).log(), target >= 0)


@torch.no_grad()
def best_proposals(
    detection: Detection, rooms: Int64[Tensor, " b"], objects: RoomObjects, target: Int64[Tensor, " b"]
) -> Int64[Tensor, " b"]:
    """The proposal of each question that overlaps its target most; of equal ones, and of none at all, the first."""
    wanted = objects.boxes[rooms, target.clamp(min=0)].to(detection.center.dtype)
    return box_iou(detection.boxes[rooms], wanted[:, None]).argmax(-1)


def language_loss(
    scores: Float[Tensor, "b 18"], objects: RoomObjects, rooms: Int64[Tensor, " b"], target: Int64[Tensor, " b"]
) -> Float[Tensor, ""]:
    """Cross entropy of the class of the object that a question is about."""
    classes = objects.classes[rooms, target.clamp(min=0)]
    return mean_where(F.cross_entropy(scores, classes, reduction="none"), target >= 0)


def pose_loss(
    poses: Float[Tensor, "b 7"],
    true: Float[Tensor, "b 7"],
    posed: Bool[Tensor, " b"],
    *,
    position: float = 1.0,
    rotation: float = 1.0,
) -> Float[Tensor, ""]:
    """Mean squared error of the position [m^2] and of the quaternion's four numbers (SQA3D ``lib/loss_helper.py``).

    A quaternion and its negative are one rotation, but not one to this loss.

    Args:
        poses: predicted position x, y, z and quaternion x, y, z, w.
        true: the same as it is.
        posed: False where ``true`` is a placeholder.
        position: weight of the first.
        rotation: weight of the second.
    """
    squared = (poses - true.to(poses.dtype)).square()
    errors = position * squared[:, :3].mean(-1) + rotation * squared[:, 3:].mean(-1)
    return mean_where(errors, posed)
