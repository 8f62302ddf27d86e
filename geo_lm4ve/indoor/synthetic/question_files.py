"""Questions in the files of ScanQA and SQA3D."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geo_lm4ve.files import write_text
from geo_lm4ve.indoor.asker import AHEAD
from geo_lm4ve.indoor.synthetic.asked import Asked
from geo_lm4ve.indoor.synthetic.scan import Scan
from geo_lm4ve.indoor.synthetic.situation import Situation

Row = dict[str, Any]

_HEAD = {
    "info": {"description": "made-up rooms in the layout of SQA3D", "version": "1.0"},
    "data_type": "scannet", "data_subtype": "v2", "task_type": "Situated question answering",
}  # fmt: skip


def scanqa_row(name: str, key: str, asked: Asked, scan: Scan, withheld: bool) -> Row:
    """One question of ``ScanQA_v1.0_SPLIT.json``; a test split does not have objects and answers."""
    objects = [scan.rows.index(row) for row in asked.things]
    said = {} if withheld else {
        "object_ids": objects, "object_names": [scan.labels[row].replace(" ", "_") for row in objects],
    }  # fmt: skip
    answers = {} if withheld else {"answers": list(asked.answers)}
    return {
        "scene_id": name, **said, "question_id": key, "question": asked.text,
        **answers,
    }  # fmt: skip


def sqa3d_rows(name: str, number: int, asked: Asked, situation: Situation, scan: Scan) -> tuple[Row, Row]:
    """One question of SQA3D, and its answer with the asker's pose."""
    question = {
        "scene_id": name, "situation": situation.texts[0], "alternative_situation": list(situation.texts[1:]),
        "question": asked.text, "question_id": number,
    }  # fmt: skip
    (answer,) = asked.answers
    annotation = {
        "scene_id": name, "question_type": "N/A", "answer_type": "other", "question_id": number,
        "answers": [{"answer": answer, "answer_confidence": "yes", "answer_id": 1}], **pose(situation, scan),
    }  # fmt: skip
    return question, annotation


def pose(situation: Situation, scan: Scan) -> Row:
    """Rotation and position in the frame of the scanner; the position is an offset from the centre of the scan [m]."""
    turn, shift = scan.alignment[:3, :3], scan.alignment[:3, 3]
    x, y, z = ((np.array([*situation.position, situation.eyes]) - shift) @ turn - scan.center).tolist()
    angle = situation.heading - np.arctan2(AHEAD[1], AHEAD[0]) - np.arctan2(turn[1, 0], turn[0, 0])
    half = (angle + np.pi) % (2 * np.pi) / 2 - np.pi / 2
    rotation = {"_x": 0.0, "_y": 0.0, "_z": float(np.sin(half)), "_w": float(np.cos(half))}
    return {"rotation": rotation, "position": {"x": x, "y": y, "z": z}}


def write_scanqa(path: Path, rows: Sequence[Row]) -> None:
    """A list of questions."""
    write_text(path, json.dumps(rows))


def write_sqa3d(folder: Path, split: str, rows: Sequence[tuple[Row, Row]]) -> None:
    """``v1_balanced_questions_SPLIT_scannetv2.json`` and ``v1_balanced_sqa_annotations_SPLIT_scannetv2.json``."""
    for what, key, part in (("questions", "questions", 0), ("sqa_annotations", "annotations", 1)):
        write_text(
            folder / f"v1_balanced_{what}_{split}_scannetv2.json",
            json.dumps({**_HEAD, key: [row[part] for row in rows]}),
        )


def write_answers(path: Path, answers: Collection[str]) -> None:
    """``answer_dict.json``: answers by class, and the other way round."""
    classes = {answer: row for row, answer in enumerate(sorted(answers))}
    write_text(path, json.dumps([classes, {str(row): answer for answer, row in classes.items()}]))
