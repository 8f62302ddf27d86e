"""Exact match: is one of the best guesses a right answer, letter for letter?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.metrics.base import MeanMetric, pairs


class ExactMatch(MeanMetric[Sequence[str], str]):
    """EM@k: one of the first k guesses equals a reference, without any normalisation (ScanQA ``scripts/score.py``).

    Args:
        ranks: the k.
    """

    def __init__(self, ranks: Sequence[int] = (1, 10)):
        self.ranks = tuple(ranks)
        self.names = tuple(f"EM@{rank}" for rank in self.ranks)

    def measure(
        self, answers: Sequence[Sequence[str]], references: Sequence[Sequence[str]]
    ) -> Float64[np.ndarray, "n k"]:
        """1 or 0 for each rank; a question without any guess is wrong."""
        best = np.fromiter((_first_hit(*pair) for pair in pairs(answers, references)), np.float64, len(answers))
        return (best[:, None] < np.array(self.ranks)).astype(np.float64)


def _first_hit(guesses: Sequence[str], right: Sequence[str]) -> float:
    return next((float(place) for place, guess in enumerate(guesses) if guess in right), np.inf)
