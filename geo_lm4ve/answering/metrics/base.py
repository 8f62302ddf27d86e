"""The contract of a metric of answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.files import UserError

Answer = TypeVar("Answer")
"""What a system says to one question."""
Reference = TypeVar("Reference")
"""One of the right answers of a question."""


class AnswerError(UserError):
    """Answers and references that cannot be scored."""


class Metric(ABC, Generic[Answer, Reference]):
    """Scores answers against references in sums, so that any subset (a question type, a bootstrap sample) is scored.

    What an answer is differs: tokens (``TokenMetric``), the text as it stands (``TextMetric``) or ranked guesses, the
    best first (``RankedMetric``). Cleaning and tokenisation are the protocol's.

    Attributes:
        names: of the values, as the papers print them, e.g. ("BLEU-1", ..., "BLEU-4").
    """

    names: tuple[str, ...]

    @abstractmethod
    def measure(
        self, answers: Sequence[Answer], references: Sequence[Sequence[Reference]]
    ) -> Float64[np.ndarray, "n k"]:
        """Statistics of every item; what a metric takes from the whole set (CIDEr's document frequencies) is of these.

        Args:
            answers: one of each question.
            references: the right answers of each question, at least one.

        Raises:
            UserError: something that the metric needs is missing (``lacks``), or a question has no reference.
        """

    @abstractmethod
    def values(
        self, sums: Float64[np.ndarray, "*b k"], count: Float64[np.ndarray, "*b"] | float
    ) -> Float64[np.ndarray, "*b v"]:
        """Values, in the order of ``names``, of any number of sets at once.

        Args:
            sums: of the statistics over the items of each set.
            count: of items in each set.
        """

    def score(self, statistics: Float64[np.ndarray, "n k"]) -> dict[str, float]:
        """Name -> value over the rows given, as a fraction (not percent); NaN without any row."""
        if not len(statistics):
            return dict.fromkeys(self.names, float("nan"))
        return dict(zip(self.names, self.values(statistics.sum(0), float(len(statistics))).tolist()))

    def items(self, statistics: Float64[np.ndarray, "n k"]) -> dict[str, Float64[np.ndarray, " n"]]:
        """Name -> value of each item by itself, as a fraction."""
        return dict(zip(self.names, self.values(statistics, np.ones(len(statistics))).T))

    def lacks(self) -> str:
        """What has to be installed before ``measure`` works, and how; "" if all is there."""
        return ""


TokenMetric: TypeAlias = Metric[Sequence[str], Sequence[str]]
"""Answers and references are lists of tokens: BLEU, ROUGE-L, CIDEr, METEOR, SPICE."""
TextMetric: TypeAlias = Metric[str, str]
"""Answers and references are texts: refined exact match, F-value, ROUGE-L of the ``rouge`` package."""
RankedMetric: TypeAlias = Metric[Sequence[str], str]
"""Answers are guesses, the best first, and references are texts: exact match at 1 and at 10."""


class MeanMetric(Metric[Answer, Reference]):
    """A metric whose value is the mean of its items: the statistics are the items' values, one column for each name."""

    def values(
        self, sums: Float64[np.ndarray, "*b k"], count: Float64[np.ndarray, "*b"] | float
    ) -> Float64[np.ndarray, "*b v"]:
        """Means over the items."""
        return sums / np.asarray(count)[..., None]


def pairs(
    answers: Sequence[Answer], references: Sequence[Sequence[Reference]]
) -> Iterator[tuple[Answer, Sequence[Reference]]]:
    """Each answer with its references.

    Raises:
        AnswerError: not as many lists of references as answers, or an empty list.
    """
    if len(answers) != len(references):
        raise AnswerError(f"{len(answers)} answers, but references of {len(references)} questions: one list for each")
    for number, (answer, right) in enumerate(zip(answers, references)):
        if not right:
            raise AnswerError(f"question {number} (counted from 0) has no right answer: leave it out of the scoring")
        yield answer, right
