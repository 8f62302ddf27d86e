"""SQA3D's annotation files: questions in one, answers in the other, joined by question_id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geo_lm4ve.answering.files.json_text import rows_of, strict_json, text_id, unique_ids
from geo_lm4ve.answering.files.poses import Pose, pose_in
from geo_lm4ve.answering.questions import Question, QuestionSet, sqa3d_type
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.reading import Fields, reader

_ANSWERS, _QUESTIONS = "sqa_annotations", "questions"
"""What tells the names of the two files apart: v1_balanced_{...}_test_scannetv2.json."""


def read_sqa3d(path: Path, questions: Path | None = None) -> QuestionSet:
    """The questions of a split.

    Args:
        path: ``v1_balanced_sqa_annotations_SPLIT_scannetv2.json``.
        questions: ``v1_balanced_questions_SPLIT_scannetv2.json``; None: beside ``path``, under that name.

    Raises:
        DataError: a file is missing or is something else, or they do not belong together.
    """
    asked, said = read_questions(questions or questions_beside(path)), read_answers(path)
    if lacking := [key for key in asked if key not in said]:
        raise DataError(
            f"{path} has no answer to {len(lacking):,} of {len(asked):,} questions ({', '.join(lacking[:3])}, ...); "
            "give the two files of one split"
        )
    if surplus := [key for key in said if key not in asked]:
        raise DataError(
            f"{path} answers {len(surplus):,} questions that nobody asks ({', '.join(surplus[:3])}, ...); "
            "give the two files of one split"
        )
    joined = [
        Question(key, scene, text, said[key][0], situation, pose=said[key][1])
        for key, (scene, text, situation) in asked.items()
    ]
    return QuestionSet(path, joined, sqa3d_type)


def questions_beside(path: Path) -> Path:
    """The file of questions that belongs to a file of answers; DataError where its name does not say."""
    beside = path.with_name(path.name.replace(_ANSWERS, _QUESTIONS))
    if beside == path or not beside.is_file():
        raise DataError(
            f"the file of questions that belongs to {path} is not beside it as "
            f"v1_balanced_questions_SPLIT_scannetv2.json; name it with --questions FILE"
        )
    return beside


@reader(DataError, "SQA3D's file of questions", "get v1_balanced_questions_SPLIT_scannetv2.json")
def read_questions(path: Path) -> dict[str, tuple[str, str, str]]:
    """Id -> scene, question, situation, in the order of the file."""
    rows = rows_of(_list(path, "questions"), "questions of SQA3D")
    ids = unique_ids([text_id(row, "question_id") for row in rows])
    return {
        key: (row.text("scene_id"), row.text("question"), row.text("situation"))
        for key, row in zip(ids, rows)
    }  # fmt: skip


@reader(DataError, "SQA3D's annotations", "get v1_balanced_sqa_annotations_SPLIT_scannetv2.json")
def read_answers(path: Path) -> dict[str, tuple[tuple[str, ...], Pose]]:
    """Id -> answers (SQA3D has exactly one; more would do) and the asker's pose, in the order of the file."""
    rows = rows_of(_list(path, "annotations"), "annotations of SQA3D")
    ids = unique_ids([text_id(row, "question_id") for row in rows])
    return {key: (_answers(row), pose_in(row)) for key, row in zip(ids, rows)}


def _list(path: Path, key: str) -> list[Any]:
    value = strict_json(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict) or not isinstance(value.get(key), list):
        raise ValueError(f"it has no list called {key}")
    if not value[key]:
        raise ValueError(f"its list {key} is empty")
    found: list[Any] = value[key]
    return found


def _answers(row: Fields) -> tuple[str, ...]:
    value = row["answers"]
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        raise ValueError(f"{row.prefix}answers is no list of mappings with at least one")
    return tuple(Fields(one, f"{row.prefix}answers.").text("answer") for one in value)
