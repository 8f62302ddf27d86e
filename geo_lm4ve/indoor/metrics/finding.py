"""Which proposals find a true object, as VoteNet and PASCAL VOC count them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from geo_lm4ve.geometry.boxes import box_iou
from geo_lm4ve.indoor.detection import Detection
from geo_lm4ve.indoor.objects import RoomObjects

CONFIDENCE = 0.05
"""A proposal that is less probably an object is left out (``conf_thresh`` of ScanQA ``scripts/eval.py``)."""


@dataclass(frozen=True)
class Found:
    """Every proposal of S scans as a find of each of 18 classes.

    Attributes:
        scores: (S, P, 18) probability of being an object times that of the class (``per_class_proposal``).
        counted: (S, P) False: the proposal is left out.
        hits: (S, P, 18) True where it finds an object of that class that no likelier proposal has found.
    """

    scores: Float[Tensor, "s p c"]
    counted: Bool[Tensor, "s p"]
    hits: Bool[Tensor, "s p c"]


@torch.no_grad()
def find(detection: Detection, survivors: Bool[Tensor, "s p"], objects: RoomObjects, overlap: float) -> Found:
    """Compare proposals with true objects, class by class.

    Of each class, a proposal belongs to the true box that it overlaps most, by more than ``overlap`` (not by just as
    much), and the likeliest of those that belong to a box has found it (VoteNet ``utils/eval_det.py``); the others are
    false, even where they also overlap a box that nobody found.

    Args:
        detection: the proposals.
        survivors: those that are not suppressed.
        objects: the true ones.
        overlap: intersection over union to exceed.
    """
    probability = detection.objectness.double().softmax(-1)[..., 1:]
    scores = probability * detection.class_scores.double().softmax(-1)
    counted = survivors & (probability.squeeze(-1) > CONFIDENCE)
    overlaps = box_iou(detection.boxes.double()[:, :, None], objects.boxes.double()[:, None])
    classes = scores.shape[-1]
    of_class = objects.valid[..., None] & (objects.classes[..., None] == torch.arange(classes, device=scores.device))
    most, best = overlaps[..., None].masked_fill(~of_class[:, None], -1.0).max(2)  # (S, P, 18)
    own = objects.classes[:, None].expand(-1, best.shape[1], -1)
    rows = torch.arange(objects.valid.shape[1], device=scores.device)
    belongs = (best.gather(2, own) == rows) & (most.gather(2, own) > overlap) & counted[..., None]
    belongs &= objects.valid[:, None]
    likeliest = scores.gather(2, own).masked_fill(~belongs, -1.0).argmax(1, keepdim=True)  # (S, 1, K)
    finds = torch.zeros_like(belongs).scatter(1, likeliest, belongs.gather(1, likeliest))
    hits = torch.zeros(scores.shape, dtype=torch.int64, device=scores.device).scatter_add(2, own, finds.long())
    return Found(scores, counted, hits > 0)
