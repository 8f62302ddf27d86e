"""F-value: how many words of an answer and a reference agree, as lemmas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.metrics.base import MeanMetric, pairs
from geo_lm4ve.language.wordnet import WordNetError, find_wordnet, wordnet


class FValue(MeanMetric[str, str]):
    """The best F1 over the references, 1 for an exact match: "Top1 (F-value)" of ScanQA's ``scripts/score.py``.

    Words are split at white space and lemmatised as nouns of WordNet. Precision is the share of the answer's words that
    occur in the reference, recall the other way round; a repeated word counts each time, however often the other text
    has it. A text without words gives 0, where the official code divides by zero.

    Args:
        lemma: of a word; default: of the WordNet that the user has.
    """

    names = ("F-value",)

    def __init__(self, lemma: Callable[[str], str] | None = None):
        self.lemma = lemma

    def measure(self, answers: Sequence[str], references: Sequence[Sequence[str]]) -> Float64[np.ndarray, "n 1"]:
        """F-value of each; UserError without WordNet."""
        lemma = lru_cache(1 << 16)(self.lemma or wordnet().lemma)
        values = (_best(lemma, answer, right) for answer, right in pairs(answers, references))
        return np.fromiter(values, np.float64, len(answers))[:, None]

    def lacks(self) -> str:
        """WordNet's files, unless a lemmatiser was given."""
        try:
            _ = self.lemma or find_wordnet()
        except WordNetError as error:
            return str(error)
        return ""


def _best(lemma: Callable[[str], str], answer: str, right: Sequence[str]) -> float:
    if answer in right:
        return 1.0
    said = [lemma(word) for word in answer.split()]
    return max(_f1(said, [lemma(word) for word in one.split()]) for one in right)


def _f1(said: Sequence[str], wanted: Sequence[str]) -> float:
    if not said or not wanted:
        return 0.0
    precision = sum(word in wanted for word in said) / len(said)
    recall = sum(word in said for word in wanted) / len(wanted)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
