"""Predictions in the forms that the evaluations of ScanQA and of SQA3D read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geo_lm4ve.answering.files.predictions import Predictions
from geo_lm4ve.answering.matching import Match
from geo_lm4ve.answering.questions import Question
from geo_lm4ve.answering.submission import write_submission
from geo_lm4ve.files import write_json
from geo_lm4ve.indoor.ask.places import Framed, in_annotations
from geo_lm4ve.notice import say
from geo_lm4ve.parts.data import DataSource
from geo_lm4ve.parts.task import Record
from geo_lm4ve.words import component


def write_predictions(folder: Path, split: str, records: Sequence[Record], protocol: str, data: DataSource) -> Path:
    """Write ``pred.SPLIT.json`` for ``tools/evaluate.py --protocol PROTOCOL --predictions``.

    Args:
        folder: to write to.
        split: name of the split.
        records: of all its questions.
        protocol: ``scanqa``: the official submission, answers and boxes; ``sqa3d``: answers and poses.
        data: brings poses into the frame of the annotations where it is ``Framed``; else they are left out.
    """
    path = folder / f"pred.{component(split)}.json"
    if protocol == "scanqa":
        write_submission(path, as_match(records, path))
    else:
        write_json(path, [*map(dict, _sqa3d(records, data))])
    return path


def as_match(records: Sequence[Record], path: Path) -> Match:
    """Questions and answers as ``write_submission`` takes them; ``path`` stands for where they come from."""
    questions = [Question(one["question_id"], one["scan"], one.get("question", "")) for one in records]
    guesses = [tuple(answer for answer, _ in one["top"]) for one in records]
    boxes = {one["question_id"]: np.array(one["box"], np.float64) for one in records if "box" in one}
    said = Predictions(path, {one.id: own for one, own in zip(questions, guesses)}, boxes)
    return Match(questions, ("",) * len(questions), guesses, (), (), len(questions), said)


def _sqa3d(records: Sequence[Record], data: DataSource) -> list[dict[str, Any]]:
    placed = [one for one in records if "pose" in one]
    if placed and not isinstance(data, Framed):
        say(f"{data.info.title} does not say how its scans lie in the annotations: predicted places are left out")
    return [
        {
            "question_id": one["question_id"],
            "scene_id": one["scan"],
            "answer_top10": [answer for answer, _ in one["top"][:10]],
            **(_pose(one, data) if "pose" in one and isinstance(data, Framed) else {}),
        }
        for one in records
    ]


def _pose(record: Record, data: Framed) -> dict[str, list[float]]:
    pose = in_annotations(record["pose"], *data.frame(record["scan"])).tolist()
    return {"position": pose[:3], "rotation": pose[3:]}
