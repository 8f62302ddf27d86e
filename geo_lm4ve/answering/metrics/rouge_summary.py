"""ROUGE-L of summaries, as the ``rouge`` package has it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.metrics.base import MeanMetric, pairs

SMALL = 1e-8
"""Added to the denominator: a perfect answer scores 0.999999995."""


class SummaryRougeL(MeanMetric[str, str]):
    """F of ``rouge`` 1.0.1, with which lmms-eval scores ScanQA in LLaVA-Interleave-Bench; only the first reference.

    A text is split at "." into sentences; what a reference's sentence has in common with those of the answer is united,
    and words count once, however often they occur. An empty answer, or one of full stops alone, scores 0.
    """

    names = ("ROUGE-L",)

    def measure(self, answers: Sequence[str], references: Sequence[Sequence[str]]) -> Float64[np.ndarray, "n 1"]:
        """F of each item."""
        values = (_f(_sentences(answer), _sentences(right[0])) for answer, right in pairs(answers, references))
        return np.fromiter(values, np.float64, len(answers))[:, None]


def _sentences(text: str) -> list[list[str]]:
    return [" ".join(part.split()).split(" ") for part in text.split(".") if part]


def _f(answer: list[list[str]], reference: list[list[str]]) -> float:
    if not answer or not reference:
        return 0.0
    common = {word for right in reference for said in answer for word in common_words(right, said)}
    precision = len(common) / len({word for said in answer for word in said})
    recall = len(common) / len({word for right in reference for word in right})
    return 2 * precision * recall / (precision + recall + SMALL)


def common_words(one: Sequence[str], other: Sequence[str]) -> set[str]:
    """Words of the longest common subsequence; of several, the one that the package finds from the end."""
    table = np.zeros((len(one) + 1, len(other) + 1), np.int64)
    for row, word in enumerate(one):
        for column, against in enumerate(other):
            same = word == against
            table[row + 1, column + 1] = (
                table[row, column] + 1 if same else max(table[row, column + 1], table[row + 1, column])
            )
    row, column, found = len(one), len(other), set()
    while row and column:
        if one[row - 1] == other[column - 1]:
            row, column = row - 1, column - 1
            found.add(one[row])
        elif table[row - 1, column] > table[row, column - 1]:
            row -= 1
        else:
            column -= 1
    return found
