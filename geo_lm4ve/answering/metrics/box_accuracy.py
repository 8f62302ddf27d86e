"""Acc@0.25 and Acc@0.5: does the box that an answer points at overlap the object that was asked about?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int64

from geo_lm4ve.answering.metrics.base import AnswerError, MeanMetric, pairs

Box: TypeAlias = Sequence[float] | np.ndarray
"""(cx, cy, cz, dx, dy, dz) in metres; nothing at all where no box was predicted."""
THRESHOLDS = (0.25, 0.5)
"""Of the overlap (intersection over union); reaching one is enough."""


class BoxAccuracy(MeanMetric[Box, Box]):
    """Share of the questions whose box overlaps the object by at least a threshold (ScanQA ``lib/eval_helper.py``).

    Args:
        every_object: count an overlap with any object of the question; as published, only its first object counts.
    """

    names = tuple(f"Acc@{threshold:g}" for threshold in THRESHOLDS)

    def __init__(self, every_object: bool = False):
        self.every_object = every_object

    def measure(self, answers: Sequence[Box], references: Sequence[Sequence[Box]]) -> Float[np.ndarray, "n 2"]:
        """1 or 0 for each threshold; no predicted box is a miss.

        Raises:
            AnswerError: a question without an object, or a box that is not six finite numbers.
        """
        overlaps = np.zeros(len(answers))
        taken = [(said, right if self.every_object else right[:1]) for said, right in pairs(answers, references)]
        rows = [(number, said, one) for number, (said, right) in enumerate(taken) if len(said) for one in right]
        if rows:
            numbers, said, right = zip(*rows)
            np.maximum.at(overlaps, list(numbers), _overlaps(_boxes(said, numbers), _boxes(right, numbers)))
        return (overlaps[:, None] >= np.array(THRESHOLDS)).astype(np.float64)


def chosen_proposal(
    scores: Float[np.ndarray, "b p"], kept: Bool[np.ndarray, "b p"], *, masked_score_zero: bool = True
) -> Int64[np.ndarray, " b"]:
    """Which proposal of each scene counts as the predicted object.

    Args:
        scores: of the proposals ("cluster_ref").
        kept: proposals that are objects and survived non-maximum suppression.
        masked_score_zero: as published, the other proposals score 0 and win where all that are kept score below 0;
            False leaves them out.
    """
    return np.where(kept, scores, 0 if masked_score_zero else -np.inf).argmax(1)


def _boxes(given: Sequence[Box], questions: Sequence[int]) -> Float[np.ndarray, "n 6"]:
    for question, one in zip(questions, given):
        if np.shape(one) != (6,) or not np.isfinite(one).all():
            raise AnswerError(
                f"question {question} (counted from 0) has the box {np.asarray(one).tolist()}; a box is six finite "
                "numbers: centre x, y, z and size x, y, z in metres"
            )
    return np.array(given, np.float64)


def _overlaps(one: Float[np.ndarray, "n 6"], other: Float[np.ndarray, "n 6"]) -> Float[np.ndarray, " n"]:
    import torch  # scoring texts does without it

    from geo_lm4ve.geometry.boxes import box_iou

    return box_iou(torch.from_numpy(one), torch.from_numpy(other)).numpy()
