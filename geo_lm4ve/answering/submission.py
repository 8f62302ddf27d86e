"""The official test files of ScanQA, which its server took: ``pred.test_w_obj.json``, ``pred.test_wo_obj.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.matching import Match, named
from geo_lm4ve.answering.metrics.base import AnswerError
from geo_lm4ve.files import write_json

ANSWERS = 10
"""Answers to a question; a system that gives fewer repeats its last one, as generative models do in print."""


def write_submission(path: Path, found: Match) -> None:
    """Write one file; both test splits have the same form.

    Args:
        path: ``.json`` file to write.
        found: the questions of a split and an answer to every one.

    Raises:
        AnswerError: a question has no answer: the official evaluation stops at it.
    """
    if found.missing:
        raise AnswerError(
            f"{len(found.missing):,} of {found.total:,} questions have no answer ({named(found.missing)}); a "
            'submission answers all: give an answer to each, "" will do'
        )
    write_json(path, [_row(found, row) for row in range(len(found.questions))])


def _row(found: Match, row: int) -> dict[str, Any]:
    question, guesses = found.questions[row], found.guesses[row][:ANSWERS]
    box = found.predictions.boxes.get(question.id)
    return {
        "scene_id": question.scene,
        "question_id": question.id,
        "answer_top10": [*guesses, *[guesses[-1]] * (ANSWERS - len(guesses))],
        "bbox": [] if box is None else _corners(box),
    }


def _corners(box: Float64[np.ndarray, " 6"]) -> list[list[float]]:
    import torch  # most answers have no box

    from geo_lm4ve.geometry.boxes import box_corners

    corners: list[list[float]] = box_corners(torch.from_numpy(box)).tolist()
    return corners
