"""What some program answered: the forms in which people write it down, told apart by their content."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from sys import intern
from typing import Any

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.files.boxes import box_of
from geo_lm4ve.answering.files.json_text import rows_of, strict_json, text_id, unique_ids
from geo_lm4ve.answering.files.poses import Pose, poses_in
from geo_lm4ve.answering.metrics.base import AnswerError
from geo_lm4ve.reading import Fields, reader

IDS = ("question_id", "qid", "id")
"""Columns or keys that hold the id of a question; the first that is there counts."""
ANSWERS = ("answer_top10", "prediction", "pred", "pred_answer", "answer", "text")
"""Columns or keys that hold the answer; a row must have exactly one of them, or the caller names it."""
ROWS = ("predictions", "results", "answers")
"""Keys under which a mapping with facts about the run (``prompt``) holds its rows."""
SUFFIXES = (".json", ".jsonl", ".csv")


@dataclass(frozen=True)
class Predictions:
    """Answers of one system.

    Attributes:
        path: the file, or what stands for it.
        guesses: question id -> answers, the best first, possibly ""; () where only poses are given.
        boxes: question id -> centre and size (6,) of the predicted box, where one is given.
        poses: question id -> where the asker is said to stand, up to three guesses, where any is given.
        prompt: what the system was asked with, if the file says it and says the same everywhere; else "".
    """

    path: Path
    guesses: Mapping[str, tuple[str, ...]]
    boxes: Mapping[str, Float64[np.ndarray, " 6"]] = field(default_factory=dict)
    poses: Mapping[str, tuple[Pose, ...]] = field(default_factory=dict)
    prompt: str = ""


@reader(AnswerError, "a file of answers", "--protocol NAME --help says what may be in it")
def read_predictions(path: Path, answers_in: str = "") -> Predictions:
    """The answers in a file.

    JSON: a list of rows, or a mapping from question ids to answers, to lists of them or to rows; or a mapping that
    holds one of both under ``predictions``, ``results`` or ``answers``. JSON lines and CSV: one row a line. A row is a
    mapping with a question id (``IDS``) and an answer (``ANSWERS``), a text or a list of texts with the best first, or
    with ``position`` and ``rotation`` or up to three of these pairs under ``poses`` (``files/poses.py``), or with both.

    Args:
        path: .json, .jsonl or .csv; JSON lines may be called .json, as they often are.
        answers_in: the key that holds the answer; "": the one of ``ANSWERS`` that is there.

    Raises:
        AnswerError: it is none of these; the message names row, question and value.
    """
    if path.suffix not in SUFFIXES:
        raise ValueError(f"its name ends in {path.suffix!r}, not in {', '.join(SUFFIXES)}")
    text = path.read_text(encoding="utf-8-sig")
    rows, prompt = (_csv(text), "") if path.suffix == ".csv" else _json(text, answers_in)
    if not rows:
        raise ValueError("it holds no answer")
    ids = unique_ids([text_id(row, _id_key(row)) for row in rows])
    poses = {key: several for key, row in zip(ids, rows) if (several := poses_in(row))}
    guesses = {key: _guesses(row, key, answers_in, key in poses) for key, row in zip(ids, rows)}
    boxes = {key: box_of(box, f"the bbox of {key!r}") for key, row in zip(ids, rows) if (box := row.values.get("bbox"))}
    return Predictions(path, guesses, boxes, poses, prompt or _prompt(rows))


def _json(text: str, answers_in: str) -> tuple[list[Fields], str]:
    """Rows, and the prompt where the file as a whole has one."""
    value, prompt = (_lines(text) if _is_lines(text) else strict_json(text)), ""
    if isinstance(value, dict) and (key := next((one for one in ROWS if isinstance(value.get(one), dict | list)), "")):
        prompt, value = value["prompt"] if isinstance(value.get("prompt"), str) else "", value[key]
    if isinstance(value, dict):
        value = [_keyed(key, one, answers_in) for key, one in value.items()]
    return rows_of(value, "mappings with a question and an answer"), prompt


def _is_lines(text: str) -> bool:
    """Whether every line is a mapping of its own: the first one is, and there are more."""
    first, _, rest = text.lstrip().partition("\n")
    if not first.startswith("{") or not rest.strip():
        return False
    try:
        json.loads(first)
    except ValueError:
        return False
    return True


def _lines(text: str) -> list[Any]:
    return [strict_json(line) for line in text.splitlines() if line.strip()]


def _keyed(key: str, value: Any, answers_in: str) -> dict[str, Any]:
    """An entry of {question: answer} as a row."""
    if not isinstance(value, dict):
        return {"question_id": key, answers_in or "answer": value}
    return {**value, "question_id": key}


def _csv(text: str) -> list[Fields]:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    head = next(lines, [])
    if len(set(head)) < len(head):
        raise ValueError(f"two columns have one name: {', '.join(head)}")
    return [Fields(row, f"row {number}: ") for number, row in enumerate(_csv_rows(lines, head))]


def _csv_rows(lines: Iterator[list[str]], head: list[str]) -> Iterator[dict[str, str]]:
    for line in lines:
        if not line:
            continue
        if len(line) != len(head):
            raise ValueError(f"a line has {len(line)} values, the head has {len(head)}: {line!r:.80}")
        yield dict(zip(head, line))


def _id_key(row: Fields) -> str:
    found = next((key for key in IDS if key in row.values), None)
    if found is None:
        raise ValueError(f"{row.prefix}it has none of {', '.join(IDS)}, but {', '.join(map(repr, row.values)):.100}")
    return found


def _answer_key(row: Fields, answers_in: str) -> str:
    if answers_in:
        return answers_in
    found = [key for key in ANSWERS if key in row.values]
    if len(found) > 1:
        raise ValueError(f"{row.prefix}{' and '.join(found)} could each be the answer; say which by --answers-in KEY")
    if not found:
        has = f"{', '.join(map(repr, row.values)):.100}"
        raise ValueError(f"{row.prefix}it has none of {', '.join(ANSWERS)}, but {has}; --answers-in KEY names another")
    return found[0]


def _guesses(row: Fields, key: str, answers_in: str, placed: bool) -> tuple[str, ...]:
    if placed and not {*ANSWERS, answers_in}.intersection(row.values):
        return ()
    value = row[_answer_key(row, answers_in)]
    guesses = value if isinstance(value, list) else [value]
    if not guesses:
        raise ValueError(f'{row.prefix}the list of answers to {key!r} is empty; leave the question out, or write ""')
    for one in guesses:
        if not isinstance(one, str):
            raise ValueError(f"{row.prefix}an answer to {key!r} is {one!r:.60}, not a text; write it in quotes")
    return tuple(map(intern, guesses))


def _prompt(rows: list[Fields]) -> str:
    """What all rows say, in the order of the first; most files repeat the question in it and thus have many."""
    said = {row.values.get("prompt") for row in rows}
    one = said.pop() if len(said) == 1 else None
    return one if isinstance(one, str) else ""
