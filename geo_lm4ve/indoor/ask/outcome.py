"""What a model's scores come to: which answers it gives, and which box it points at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from geo_lm4ve.answering.metrics.box_accuracy import chosen_proposal
from geo_lm4ve.geometry.boxes import box_iou
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.detection import RoomAnswers
from geo_lm4ve.indoor.losses.precision import wide
from geo_lm4ve.indoor.losses.questions import AnswerLoss
from geo_lm4ve.indoor.losses.rooms import known_objects
from geo_lm4ve.indoor.metrics.suppression import surviving


@dataclass(frozen=True)
class Outcome:
    """Answers to B questions about S scans, decided.

    Attributes:
        best: (B, T) rows of the likeliest answers in the vocabulary, the best first.
        probabilities: (B, T) of each.
        survivors: (S, P) proposals that are not suppressed.
        boxes: (B, 6) the box that each answer points at, centre and size [m]; None: the model points at nothing.
        overlaps: (B,) its intersection over union with the target; NaN where the target is not known.
    """

    best: Int64[Tensor, "b t"]
    probabilities: Float[Tensor, "b t"]
    survivors: Bool[Tensor, "s p"]
    boxes: Float64[Tensor, "b 6"] | None
    overlaps: Float64[Tensor, " b"]


@torch.no_grad()
def decide(answers: RoomAnswers, batch: RoomBatch, *, kind: AnswerLoss, top: int, strict: bool) -> Outcome:
    """The outcome of a batch, on its device.

    Args:
        answers: what the model says.
        batch: what it was asked.
        kind: what the answers were trained with: an answer has a probability of its own, or all share one.
        top: most answers that are kept of a question.
        strict: see ``AnswerRoomsConfig.strict_choice``.
    """
    answers = wide(answers)
    scores, best = answers.answers.topk(min(top, answers.answers.shape[1]), dim=-1)
    shares = scores.sigmoid() if kind is AnswerLoss.bce else answers.answers.softmax(-1).take_along_dim(best, 1)
    survivors = surviving(answers.detection, batch.points)
    boxes = chosen_boxes(answers, survivors, strict=strict)
    return Outcome(best, shares, survivors, boxes, _overlaps(boxes, answers.room_of, batch))


def chosen_boxes(
    answers: RoomAnswers, survivors: Bool[Tensor, "s p"], *, strict: bool
) -> Float64[Tensor, "b 6"] | None:
    """The box of the proposal with the highest score, of those that survive and are taken for objects."""
    if answers.references is None:
        return None
    rooms = answers.room_of
    kept = (survivors & answers.detection.is_object)[rooms].cpu().numpy()
    scores = answers.references.double().cpu().numpy()
    rows = torch.from_numpy(chosen_proposal(scores, kept, masked_score_zero=not strict).astype(np.int64))
    return answers.detection.boxes.double()[rooms, rows.to(rooms.device)]


def _overlaps(boxes: Tensor | None, rooms: Int64[Tensor, " b"], batch: RoomBatch) -> Float64[Tensor, " b"]:
    unknown = torch.full((len(batch),), torch.nan, dtype=torch.float64, device=rooms.device)
    objects = known_objects(batch)
    if boxes is None or objects is None or batch.truth is None:
        return unknown
    target = batch.truth.target
    overlaps = box_iou(boxes, objects.boxes[rooms, target.clamp(min=0)].double())
    return torch.where(target >= 0, overlaps.nan_to_num(0.0), unknown)  # a box that is not finite overlaps nothing
