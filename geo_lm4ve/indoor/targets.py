"""Answers as a classifier's targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

UNKNOWN = ("unknown", "u")
"""Answers that stand for all that a vocabulary lacks: in SQA3D's converter, in 3D-VisTA's."""


@dataclass(frozen=True)
class AnswerTargets:
    """A vocabulary and what a right answer of it is worth.

    Attributes:
        answers: the vocabulary, by class.
        worth: target of each class where it is right.
        unknown: class of the answers that are in no vocabulary; None: there is none.
    """

    answers: tuple[str, ...]
    worth: tuple[float, ...]
    unknown: int | None = None

    @classmethod
    def by_frequency(cls, counts: Mapping[str, int]) -> AnswerTargets:
        """ScanQA: all answers of train, worth 0.3, 0.6 or 0.9 where train gives them 1, 2 or 3 times, else 1."""
        answers = tuple(sorted(counts))
        return cls(answers, tuple(min(round(0.3 * counts[answer], 1), 1.0) for answer in answers))

    @classmethod
    def one_hot(cls, answers: Sequence[str]) -> AnswerTargets:
        """SQA3D: a right answer is worth 1; one that is missing is ``unknown`` (or ``u``) where that is there."""
        ordered = tuple(sorted(answers))
        return cls(
            ordered, (1.0,) * len(ordered), next((ordered.index(one) for one in UNKNOWN if one in ordered), None)
        )

    @cached_property
    def classes(self) -> dict[str, int]:
        """Answer -> class."""
        return {answer: number for number, answer in enumerate(self.answers)}

    def of(self, answers: Sequence[str]) -> dict[int, float]:
        """Class -> target of the right answers to a question; {} where none is in the vocabulary."""
        found = (self.classes.get(answer, self.unknown) for answer in answers)
        return {number: self.worth[number] for number in found if number is not None}

    def rows(self, questions: Sequence[Sequence[str]]) -> Float[Tensor, "b a"]:
        """A row of targets for each question, which is given by its right answers."""
        made = torch.zeros(len(questions), len(self.answers))
        for row, answers in enumerate(questions):
            for number, value in self.of(answers).items():
                made[row, number] = value
        return made
