"""Bootstrap intervals of metrics, of one system and of the difference of two on the same questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.metrics.base import AnswerError, Metric

SAMPLES, CONFIDENCE = 1000, 0.95
_BLOCK = 1 << 22
"""Weights that are drawn at once: memory stays flat however many questions there are."""


@dataclass(frozen=True)
class Interval:
    """A value and what questions drawn anew would make of it.

    Attributes:
        value: on the questions as they are.
        low, high: bounds of the percentile interval.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Two systems on the same questions.

    Attributes:
        one, other: each by itself.
        difference: one minus other, from the same draws of questions.
    """

    one: Interval
    other: Interval
    difference: Interval


def interval(
    metric: Metric[Any, Any],
    statistics: Float64[np.ndarray, "n k"],
    *,
    samples: int = SAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> dict[str, Interval]:
    """Name -> value with its interval; questions are drawn with replacement.

    What a metric takes from the whole set (CIDEr's document frequencies) stays as measured.
    """
    drawn = _draws(metric, [statistics], samples, seed)[0]
    value = metric.score(statistics)
    return {name: _interval(value[name], drawn[:, place], confidence) for place, name in enumerate(metric.names)}


def compare(
    metric: Metric[Any, Any],
    one: Float64[np.ndarray, "n k"],
    other: Float64[np.ndarray, "m k"],
    *,
    samples: int = SAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> dict[str, Comparison]:
    """Name -> both systems and their difference, paired: every draw takes the same questions of both.

    Args:
        metric: that measured both.
        one: statistics of one system.
        other: statistics of the other, of the same questions in the same order.
        samples: draws.
        confidence: of the intervals, e.g. 0.95.
        seed: of the draws.

    Raises:
        AnswerError: statistics of different numbers of questions.
    """
    if one.shape != other.shape:
        raise AnswerError(f"a paired comparison needs the same questions of both, got {len(one)} and {len(other)}")
    mine, theirs = _draws(metric, [one, other], samples, seed)
    ours, others = metric.score(one), metric.score(other)
    return {
        name: Comparison(
            _interval(ours[name], mine[:, place], confidence),
            _interval(others[name], theirs[:, place], confidence),
            _interval(ours[name] - others[name], mine[:, place] - theirs[:, place], confidence),
        )
        for place, name in enumerate(metric.names)
    }


def _draws(
    metric: Metric[Any, Any], systems: list[Float64[np.ndarray, "n k"]], samples: int, seed: int
) -> list[Float64[np.ndarray, "s v"]]:
    """Values of every draw, of each system."""
    count, chance = len(systems[0]), np.random.default_rng(seed)
    if not count:
        return [np.full((samples, len(metric.names)), np.nan) for _ in systems]
    sums = [np.empty((samples, statistics.shape[1])) for statistics in systems]
    step = max(_BLOCK // count, 1)
    for start in range(0, samples, step):
        stop = min(start + step, samples)
        weights = _weights(chance, stop - start, count)
        for into, statistics in zip(sums, systems):
            into[start:stop] = weights @ statistics
    return [metric.values(one, np.full(samples, float(count))) for one in sums]


def _weights(chance: np.random.Generator, samples: int, count: int) -> Float64[np.ndarray, "s n"]:
    """How often each question was drawn."""
    weights = np.empty((samples, count))
    for row in weights:
        row[:] = np.bincount(chance.integers(count, size=count), minlength=count)
    return weights


def _interval(value: float, drawn: Float64[np.ndarray, " s"], confidence: float) -> Interval:
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(low), float(high))
