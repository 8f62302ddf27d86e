"""Questions, answers, vocabularies and boxes of 3D question answering, each read as far as a score."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from mutate import BYTES
from mutate_text import JSON, JSON_LINES, TEXT
from seed import Seed

from geo_lm4ve.answering.files.boxes import read_boxes
from geo_lm4ve.answering.files.predictions import Predictions, read_predictions
from geo_lm4ve.answering.files.scanqa import read_scanqa
from geo_lm4ve.answering.files.sqa3d import read_sqa3d
from geo_lm4ve.answering.files.vocabulary import read_vocabulary
from geo_lm4ve.answering.items import write_items
from geo_lm4ve.answering.matching import match
from geo_lm4ve.answering.places import asked_places, said_places
from geo_lm4ve.answering.protocols import PROTOCOLS
from geo_lm4ve.answering.questions import QuestionSet
from geo_lm4ve.answering.scores import Items, Means, score
from geo_lm4ve.language.tokeniser import Blanks

ANSWERS = (("brown", "dark brown"), ("2",), ("on the left side",))
CORNERS = [[x, y, z] for x in (0.0, 1.5) for y in (0.0, 2.0) for z in (0.5, 1.0)]
POSE = {"position": {"x": 1.5, "y": -2.0, "z": 0.5}, "rotation": {"_x": 0, "_y": 0.0, "_z": 0.6, "_w": -0.8}}
_ANNOTATIONS, _QUESTIONS = "v1_balanced_sqa_annotations_val_scannetv2.json", "v1_balanced_questions_val_scannetv2.json"


def _json(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


def _scanqa(folder: Path) -> Path:
    return _json(folder / "val.json", [
        {"scene_id": f"scene000{n}_00", "object_ids": [n], "object_names": ["desk"], "question_id": f"val-{n}",
         "question": "What is on the desk?", "answers": list(right)}
        for n, right in enumerate(ANSWERS)
    ])  # fmt: skip


def _sqa3d(folder: Path) -> Path:
    _json(folder / _QUESTIONS, {"questions": [
        {"scene_id": "scene0000_00", "situation": "I sit.", "question": "Left?", "question_id": n} for n in range(3)
    ]})  # fmt: skip
    return _json(folder / _ANNOTATIONS, {"annotations": [
        {"scene_id": "scene0000_00", "question_id": n, "answers": [{"answer": right[0], "answer_id": 1}], **POSE}
        for n, right in enumerate(ANSWERS)
    ]})  # fmt: skip


def _said(asked: QuestionSet) -> Predictions:
    return Predictions(Path("said"), {one.id: ("brown",) for one in asked.questions})


def _scored(asked: QuestionSet, said: Predictions, protocol: str) -> object:
    """All numbers are finite percentages, and every item can be written down."""
    if asked.withheld:
        return None
    found = match(asked, said, allow_extra=True)
    scores = score(found, PROTOCOLS[protocol], Means(Blanks(), without=("METEOR", "SPICE", "F-value")))
    assert all(math.isfinite(value) for value in scores.metrics().values())
    for name in ("items.csv", "items.jsonl"):
        write_items(asked.path.parent / name, Items(scores))
    return scores


def _ask(path: Path) -> object:
    asked = read_scanqa(path)
    return _scored(asked, _said(asked), "scanqa:leo")


def _ask_situated(path: Path) -> object:
    asked = read_sqa3d(path.parent / _ANNOTATIONS)
    if all(one.pose for one in asked.questions):
        poses = {one.id: (tuple(map(float, range(1, 8))),) for one in asked.questions}
        said = said_places(replace(_said(asked), poses=poses))
        _scored(asked_places(asked), said, "sqa3d:localisation")
    return _scored(asked, _said(asked), "sqa3d:refined")


def _place(path: Path) -> object:
    asked = asked_places(read_sqa3d(_sqa3d(path.parent)))
    return _scored(asked, said_places(read_predictions(path)), "sqa3d:localisation")


def _answer(path: Path) -> object:
    said = read_predictions(path)
    assert all(np.isfinite(box).all() for box in said.boxes.values())
    return _scored(read_scanqa(_scanqa(path.parent)), said, "scanqa:leo")


def _submission(folder: Path) -> Path:
    return _json(folder / "pred.json", [
        {"scene_id": f"scene000{n}_00", "question_id": f"val-{n}", "answer_top10": [*right, "x"], "bbox": CORNERS}
        for n, right in enumerate(ANSWERS)
    ])  # fmt: skip


def _poses(folder: Path) -> Path:
    several = [POSE, {"position": [1, 2, 3], "rotation": [0, 0, 1, 1]}]
    return _json(folder / "pred.json", [{"question_id": 0, **POSE}, {"question_id": 1, "poses": several}])


def _lines(folder: Path) -> Path:
    path = folder / "pred.jsonl"
    path.write_text("".join(f'{{"question_id": "val-{n}", "text": "{right[0]}"}}\n' for n, right in enumerate(ANSWERS)))
    return path


def _csv(folder: Path) -> Path:
    path = folder / "pred.csv"
    path.write_text("question_id,answer\n" + "".join(f'val-{n},"{right[0]}"\n' for n, right in enumerate(ANSWERS)))
    return path


def _box_rows(folder: Path) -> Path:
    path = folder / "scene0000_00_aligned_bbox.npy"
    np.save(path, np.array([[1.0, 2, 3, 1, 1, 1, 5, 0], [1, 2, 3, 1, 1, 1, 7, 1]]))
    return path


def _boxes(place: Path) -> object:
    found = read_boxes(place, ["scene0000_00"])
    assert all(np.isfinite(box).all() and box.shape == (6,) for box in found["scene0000_00"].values())
    return found


_FILES = "geo_lm4ve.answering.files"
SEEDS = (
    Seed("scanqa", (f"{_FILES}.scanqa.read_scanqa",), _scanqa, _ask, JSON),
    Seed("sqa3d_answers", (f"{_FILES}.sqa3d.read_answers",), _sqa3d, _ask_situated, JSON),
    Seed(
        "sqa3d_questions", (f"{_FILES}.sqa3d.read_questions",), lambda folder: _sqa3d(folder).with_name(_QUESTIONS),
        _ask_situated, JSON,
    ),
    Seed("answers_submission", (f"{_FILES}.predictions.read_predictions",), _submission, _answer, JSON),
    Seed("answers_lines", (f"{_FILES}.predictions.read_predictions",), _lines, _answer, JSON_LINES),
    Seed("answers_places", (f"{_FILES}.predictions.read_predictions",), _poses, _place, JSON),
    Seed("answers_csv", (f"{_FILES}.predictions.read_predictions",), _csv, _answer, TEXT),
    Seed(
        "answer_vocabulary", (f"{_FILES}.vocabulary.read_vocabulary",),
        lambda folder: _json(folder / "answer_dict.json", [{"brown": 0, "u": 1}, {"0": "brown", "1": "u"}]),
        read_vocabulary, JSON,
    ),
    Seed(
        "box_lists", (f"{_FILES}.boxes.read_box_lists",),
        lambda folder: _json(folder / "boxes.json", {"scene0000_00": {"locs": [[1, 2, 3, 1, 1, 1], [0] * 6]}}),
        _boxes, JSON,
    ),
    Seed("box_rows", (f"{_FILES}.boxes.read_box_rows",), _box_rows, lambda path: _boxes(path.parent), BYTES),
)  # fmt: skip
