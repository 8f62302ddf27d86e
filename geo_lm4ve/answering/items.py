"""Every question with what was answered and how it was scored: for people, spreadsheets and programs."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo_lm4ve.answering.metrics.base import AnswerError
from geo_lm4ve.files import atomic_path, to_json

SUFFIXES = (".jsonl", ".csv")


@dataclass(frozen=True, slots=True)
class Item:
    """One scored answer.

    Attributes:
        id, scene, type, question, situation: of the question.
        guess: the first answer as the file has it; None where there is none.
        scored: the answer as the protocol cleans it.
        references: right answers as the file has them.
        right: whether the answer is right by the protocol's first metric.
        values: metric -> value in percent; of BLEU, CIDEr and ROUGE that of this answer by itself.
    """

    id: str
    scene: str
    type: str
    question: str
    situation: str
    guess: str | None
    scored: str
    references: tuple[str, ...]
    right: bool
    values: dict[str, float]

    def row(self) -> dict[str, Any]:
        """As a row of a file; references are a list."""
        return {
            "question_id": self.id, "scene_id": self.scene, "type": self.type, "question": self.question,
            "situation": self.situation, "prediction": self.guess, "scored_as": self.scored,
            "references": list(self.references), "right": self.right, **self.values,
        }  # fmt: skip


def check_suffix(path: Path | None) -> None:
    """AnswerError where items could not be written under that name."""
    if path is not None and path.suffix not in SUFFIXES:
        raise AnswerError(f"--items writes {' or '.join(SUFFIXES)}, not {path.name!r}")


def write_items(path: Path, items: Sequence[Item]) -> None:
    """One row an answer, JSON lines or CSV by the name; references in CSV are a JSON list.

    Half a character, which JSON can hold and UTF-8 cannot, is spelt out in CSV.
    """
    check_suffix(path)
    with atomic_path(path) as temporary, temporary.open("w", -1, "utf-8", "backslashreplace", newline="") as file:
        if path.suffix == ".jsonl":
            file.writelines(f"{to_json(item.row())}\n" for item in items)
        else:
            writer = csv.DictWriter(file, list(items[0].row()))
            writer.writeheader()
            writer.writerows({**item.row(), "references": to_json(item.row()["references"])} for item in items)
