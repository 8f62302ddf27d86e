"""Intervals of metrics from questions drawn anew."""

from __future__ import annotations

import math

import numpy as np
import pytest
from answer_cases import SHORT, tokenised

from geo_lm4ve.answering.bootstrap import compare, interval
from geo_lm4ve.answering.metrics.base import AnswerError
from geo_lm4ve.answering.metrics.bleu import Bleu
from geo_lm4ve.answering.metrics.exact_match import ExactMatch

EM = ExactMatch((1,))


def hits(count: int, share: float, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).random((count, 1)) < share).astype(float)


def test_the_interval_of_a_share_is_near_its_normal_one():
    statistics = hits(2000, 0.3, seed=1)
    found = interval(EM, statistics, samples=2000)["EM@1"]
    width = 1.96 * math.sqrt(found.value * (1 - found.value) / 2000)
    assert found.value == statistics.mean()
    assert (found.low, found.high) == pytest.approx((found.value - width, found.value + width), abs=0.1 * width)


def test_draws_are_paired():
    one, other = hits(500, 0.4, seed=1), hits(500, 0.4, seed=2)
    same = compare(EM, one, one)["EM@1"].difference
    assert (same.value, same.low, same.high) == (0, 0, 0)
    back, forth = compare(EM, other, one)["EM@1"], compare(EM, one, other)["EM@1"]
    assert back.difference.low == pytest.approx(-forth.difference.high)
    assert forth.one == interval(EM, one)["EM@1"]
    assert forth.difference.value == pytest.approx(forth.one.value - forth.other.value)


def test_a_metric_of_sums_is_computed_anew_for_every_draw():
    metric = Bleu()
    statistics = metric.measure(*tokenised(*SHORT))
    found = interval(metric, statistics, samples=500)
    for name, value in metric.score(statistics).items():
        assert found[name].low < value < found[name].high


def test_draws_in_blocks_are_the_same_draws(monkeypatch: pytest.MonkeyPatch):
    statistics = hits(50, 0.5, seed=3)
    whole = interval(EM, statistics, samples=64, seed=4)
    monkeypatch.setattr("geo_lm4ve.answering.bootstrap._BLOCK", 100)
    assert interval(EM, statistics, samples=64, seed=4) == whole
    assert interval(EM, statistics, samples=64, seed=5) != whole


def test_no_question_gives_no_number():
    found = interval(EM, np.zeros((0, 1)))["EM@1"]
    assert all(math.isnan(value) for value in (found.value, found.low, found.high))


def test_systems_must_have_answered_the_same_questions():
    with pytest.raises(AnswerError, match="same questions of both, got 3 and 2"):
        compare(EM, np.zeros((3, 1)), np.zeros((2, 1)))
