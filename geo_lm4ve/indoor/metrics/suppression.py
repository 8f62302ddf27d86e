"""Which proposals of a scan stay: not empty, and not the same object once more."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from geo_lm4ve.geometry.boxes import box_iou
from geo_lm4ve.indoor.detection import Detection
from geo_lm4ve.tokens import take

OVERLAP = 0.25
"""Boxes of one class that overlap more are one object (``nms_iou`` of ScanQA ``scripts/eval.py``)."""
FEWEST = 5
"""Points that a box must hold (``remove_empty_box``, ``lib/ap_helper.py``)."""


@torch.no_grad()
def surviving(detection: Detection, points: Float[Tensor, "s n 3"]) -> Bool[Tensor, "s p"]:
    """Proposals that hold points and are not suppressed by a likelier one of their class, an object or not.

    The settings of ScanQA's evaluation (and of VoteNet's for ScanNet): boxes with fewer than five points go first; then
    3D suppression class by class, by intersection over union of axis-aligned boxes (``use_old_type_nms`` False; the
    old type divides by the volume of the suppressed box alone), in the order of the probability of being an object.
    True boxes as proposals (``Detection.truth``) all stay.
    """
    if detection.truth is not None:
        return detection.truth >= 0
    probability = detection.objectness.double().softmax(-1)[..., 1]
    filled = points_inside(points, detection.boxes) >= FEWEST
    return suppress(detection.boxes.double(), probability, detection.class_scores.argmax(-1), filled)


def points_inside(points: Float[Tensor, "s n 3"], boxes: Float[Tensor, "s p 6"]) -> Int64[Tensor, "s p"]:
    """How many points of its scan lie in each box or on its faces."""
    counts = []
    for own, around in zip(points.to(boxes.dtype), boxes):
        inside = torch.ones(len(around), len(own), dtype=torch.bool, device=boxes.device)
        for axis in range(3):
            inside &= (own[:, axis] - around[:, axis, None]).abs() <= around[:, axis + 3, None].abs() / 2
        counts.append(inside.sum(-1))
    return torch.stack(counts)


def suppress(
    boxes: Float[Tensor, "s p 6"],
    scores: Float[Tensor, "s p"],
    classes: Int64[Tensor, "s p"],
    candidates: Bool[Tensor, "s p"],
    overlap: float = OVERLAP,
) -> Bool[Tensor, "s p"]:
    """Non-maximum suppression in each scan.

    Args:
        boxes: centre and size [m]; the sign of a size does not matter.
        scores: the likeliest box stays; of equal ones the first.
        classes: only boxes of one class suppress one another.
        candidates: False: the box neither stays nor suppresses.
        overlap: boxes that overlap more than this are one.

    Returns:
        (S, P) True for the candidates that stay.
    """
    order = scores.masked_fill(~candidates, -torch.inf).argsort(dim=-1, descending=True, stable=True)
    boxes, classes, stays = take(boxes, order), take(classes, order), take(candidates, order)
    same = classes[:, :, None] == classes[:, None]
    clash = same & (box_iou(boxes[:, :, None], boxes[:, None]) > overlap)
    for place in range(boxes.shape[1] - 1):
        stays[:, place + 1 :] &= ~(stays[:, place, None] & clash[:, place, place + 1 :])
    return torch.zeros_like(stays).scatter(1, order, stays)
