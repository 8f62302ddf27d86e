"""ROUGE-L, as pycocoevalcap has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.metrics.base import MeanMetric, pairs

BETA = 1.2
"""Weight of recall against precision (``rouge/rouge.py``)."""


class RougeL(MeanMetric[Sequence[str], Sequence[str]]):
    """F of the longest common subsequence; the best precision and the best recall may be of different references.

    Numbers as of pycocoevalcap 1.2, which splits texts at single blanks: an empty text has one empty token, so that an
    empty answer to an empty reference is right.
    """

    names = ("ROUGE-L",)

    def measure(
        self, answers: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]
    ) -> Float64[np.ndarray, "n 1"]:
        """F of each item."""
        values = (_best(_tokens(answer), map(_tokens, right)) for answer, right in pairs(answers, references))
        return np.fromiter(values, np.float64, len(answers))[:, None]


def _tokens(given: Sequence[str]) -> list[str]:
    return " ".join(given).split(" ")


def _best(answer: list[str], right: Iterable[list[str]]) -> float:
    found = [(common_length(answer, one), len(one)) for one in right]
    precision = max(common for common, _ in found) / len(answer)
    recall = max(common / length for common, length in found)
    if not precision:
        return 0.0
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


def common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    if one == other:
        return len(one)
    above = [0] * (len(other) + 1)
    for token in one:
        row = [0]
        for place, against in enumerate(other):
            row.append(above[place] + 1 if token == against else max(above[place + 1], row[place]))
        above = row
    return above[-1]
