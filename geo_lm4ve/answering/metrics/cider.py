"""CIDEr, as pycocoevalcap has it: with the clipping and the length penalty of CIDEr-D."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.metrics.base import MeanMetric, pairs
from geo_lm4ve.answering.metrics.ngrams import LONGEST, Gram, grams, words

SIGMA = 6.0
"""Width of the Gaussian length penalty (``cider/cider_scorer.py``)."""
_KEPT = 1 << 16
"""Texts whose vectors are kept: short answers repeat."""


@dataclass(frozen=True)
class Vector:
    """n-grams of a text, weighted by how rare they are.

    Attributes:
        weights: n-gram -> count times inverse document frequency.
        norms: of the weights of each n.
        bigrams: how many the text has, which is its length here.
    """

    weights: dict[Gram, float]
    norms: tuple[float, ...]
    bigrams: int


class Cider(MeanMetric[Sequence[str], Sequence[str]]):
    """Mean over n and references of the clipped cosine of tf-idf vectors, times 10 and a penalty on length.

    Numbers as of pycocoevalcap 1.2, whose "CIDEr" is near CIDEr-D. Inverse document frequencies come from the
    references of the items given to ``measure``: the score of a question type, from its rows, keeps those of all items.
    One item alone scores 0 (log 1); an exact answer of one word 2.5, of four and more 10.
    """

    names = ("CIDEr",)

    def measure(
        self, answers: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]
    ) -> Float64[np.ndarray, "n 1"]:
        """CIDEr of each item; two passes over the references, one dictionary of all their n-grams."""
        frequency = _document_frequency(right for _, right in pairs(answers, references))
        vector = lru_cache(_KEPT)(lambda text: _vector(text, frequency, math.log(len(answers))))
        values = (_similarity(vector, answer, right) for answer, right in zip(answers, references))
        return np.fromiter(values, np.float64, len(answers))[:, None]


def _document_frequency(references: Iterator[Sequence[Sequence[str]]]) -> Counter[Gram]:
    frequency: Counter[Gram] = Counter()
    for right in references:
        frequency.update({gram for one in right for gram in grams(words(one))})
    return frequency


def _vector(text: tuple[str, ...], frequency: Counter[Gram], documents: float) -> Vector:
    counts = grams(words(text))
    weights = {gram: times * (documents - math.log(max(1, frequency[gram]))) for gram, times in counts.items()}
    squares = [0.0] * LONGEST
    for gram, weight in weights.items():
        squares[len(gram) - 1] += weight**2
    bigrams = sum(times for gram, times in counts.items() if len(gram) == 2)
    return Vector(weights, tuple(map(math.sqrt, squares)), bigrams)


def _similarity(
    vector: Callable[[tuple[str, ...]], Vector], answer: Sequence[str], right: Sequence[Sequence[str]]
) -> float:
    said = vector(tuple(answer))
    total = sum(_cosines(said, vector(tuple(one))) for one in right)
    return 10 * total / LONGEST / len(right)


def _cosines(said: Vector, wanted: Vector) -> float:
    products = [0.0] * LONGEST
    for gram, weight in said.weights.items():
        if against := wanted.weights.get(gram):
            products[len(gram) - 1] += min(weight, against) * against
    norms = (one * other for one, other in zip(said.norms, wanted.norms))
    cosines = sum(product / norm if norm else product for product, norm in zip(products, norms))
    return cosines * math.exp(-((said.bigrams - wanted.bigrams) ** 2) / (2 * SIGMA**2))
