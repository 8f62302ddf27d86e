"""BLEU, as pycocoevalcap has it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.metrics.base import Metric, pairs
from geo_lm4ve.answering.metrics.ngrams import LONGEST, grams, words

SMALL, TINY = 1e-9, 1e-15
"""Added to denominators and numerators, so that nothing is divided by zero (``bleu_scorer.py``)."""
_LENGTHS = 2 * LONGEST
"""Columns of statistics: matches of n = 1..4, n-grams of n = 1..4, length of the answer, length of the reference."""


class Bleu(Metric[Sequence[str], Sequence[str]]):
    """BLEU-1 to BLEU-4 of the whole set, matches clipped by the references' maxima, the closest reference length.

    Numbers as of pycocoevalcap 1.2 (``bleu/bleu_scorer.py``, option "closest"). BLEU-4 can be above BLEU-1: short
    answers have no 4-grams to miss.
    """

    names = tuple(f"BLEU-{n}" for n in range(1, LONGEST + 1))

    def measure(
        self, answers: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]
    ) -> Float64[np.ndarray, "n 10"]:
        """Counts of each item."""
        statistics = np.zeros((len(answers), _LENGTHS + 2))
        for row, (answer, right) in zip(statistics, pairs(answers, references)):
            _count(row, words(answer), [words(one) for one in right])
        return statistics

    def values(
        self, sums: Float64[np.ndarray, "*b k"], count: Float64[np.ndarray, "*b"] | float
    ) -> Float64[np.ndarray, "*b v"]:
        """Geometric means of the precisions up to each n, times the brevity penalty."""
        matches, guesses = sums[..., :LONGEST], sums[..., LONGEST:_LENGTHS]
        product = np.cumprod((matches + TINY) / (guesses + SMALL), -1)
        ratio = (sums[..., _LENGTHS, None] + TINY) / (sums[..., _LENGTHS + 1, None] + SMALL)
        return product ** (1 / np.arange(1, LONGEST + 1)) * np.exp(np.minimum(1 - 1 / ratio, 0))


def _count(row: Float64[np.ndarray, " k"], answer: Sequence[str], right: Sequence[Sequence[str]]) -> None:
    counted = [grams(one) for one in right]
    for gram, times in grams(answer).items():
        row[len(gram) - 1] += min(times, max(one[gram] for one in counted))
    size = len(answer)
    row[LONGEST:_LENGTHS] = [max(size - n, 0) for n in range(LONGEST)]
    row[_LENGTHS:] = size, min((len(one) for one in right), key=lambda length: (abs(length - size), length))
