"""ScanQA's annotation files, ``ScanQA_v1.0_{train,val,test_w_obj,test_wo_obj}.json``."""

from __future__ import annotations

from pathlib import Path
from sys import intern

from geo_lm4ve.answering.files.json_text import rows_of, strict_json, text_id, unique_ids
from geo_lm4ve.answering.questions import Question, QuestionSet, scanqa_type
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.reading import Fields, reader


@reader(DataError, "ScanQA's annotations", "get ScanQA_v1.0_{train,val,test_w_obj,test_wo_obj}.json")
def read_scanqa(path: Path) -> QuestionSet:
    """The questions of a file.

    Test files have no answers and no objects; a file in which only some questions lack them is refused, as is a
    question with an empty list of answers.

    Raises:
        DataError: it is no such file; the message names the row.
    """
    rows = rows_of(strict_json(path.read_text(encoding="utf-8")), "questions of ScanQA")
    if not rows:
        raise ValueError("it holds no question")
    withheld = "answers" not in rows[0].values
    questions = [_question(row, withheld) for row in rows]
    unique_ids([question.id for question in questions])
    return QuestionSet(path, questions, scanqa_type)


def _question(row: Fields, withheld: bool) -> Question:
    if withheld and "answers" in row.values:
        raise ValueError(f"{row.prefix}it has answers, which the rows before it lack")
    answers = () if withheld else tuple(map(intern, row.texts("answers")))  # many questions have one answer
    if not withheld and not answers:
        raise ValueError(f"{row.prefix}answers is an empty list; every question has at least one answer")
    ids = row.wholes("object_ids") if "object_ids" in row.values else []
    return Question(
        text_id(row, "question_id"), intern(row.text("scene_id")), row.text("question"), answers, object_ids=tuple(ids)
    )
