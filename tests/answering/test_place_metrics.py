"""Where an answer points and where an agent stands."""

from __future__ import annotations

import math

import numpy as np
import pytest

from geo_lm4ve.answering.metrics.base import AnswerError
from geo_lm4ve.answering.metrics.box_accuracy import BoxAccuracy, chosen_proposal
from geo_lm4ve.answering.metrics.localisation import Localisation

UNIT, FAR = [0, 0, 0, 1, 1, 1], [9, 9, 9, 1, 1, 1]


def test_overlap_decides_and_a_threshold_reached_is_enough():
    metric = BoxAccuracy()
    half, quarter = [0, 0, 0, 1, 1, 0.500001], [0, 0, 0, 1, 1, 0.250001]
    statistics = metric.measure([UNIT, half, quarter, FAR, []], [[UNIT]] * 5)
    assert statistics.tolist() == [[1, 1], [1, 1], [1, 0], [0, 0], [0, 0]]
    assert metric.score(statistics) == pytest.approx({"Acc@0.25": 3 / 5, "Acc@0.5": 2 / 5})


def test_the_first_object_counts_unless_all_are_asked_for():
    assert BoxAccuracy().measure([UNIT], [[FAR, UNIT]]).tolist() == [[0, 0]]
    assert BoxAccuracy(every_object=True).measure([UNIT], [[FAR, UNIT]]).tolist() == [[1, 1]]


@pytest.mark.parametrize("box", [[0, 0, 0, 1, 1], [0, 0, 0, 1, 1, math.nan], [0, 0, 0, 1, 1, math.inf]])
def test_what_is_no_box_is_named(box):
    with pytest.raises(AnswerError, match=r"question 1 \(counted from 0\) has the box"):
        BoxAccuracy().measure([UNIT, box], [[UNIT], [UNIT]])


def test_a_masked_proposal_wins_against_negative_scores_as_published():
    scores = np.array([[-1.0, -2.0, 5.0], [1.0, -2.0, 5.0]])
    kept = np.array([[True, True, False]] * 2)
    assert chosen_proposal(scores, kept).tolist() == [2, 0]
    assert chosen_proposal(scores, kept, masked_score_zero=False).tolist() == [0, 0]


def pose(x: float, y: float, degrees: float, z: float = 0) -> list[float]:
    half = math.radians(degrees) / 2
    return [x, y, z, 0, 0, math.sin(half), math.cos(half)]


def test_limits_of_the_localisation_track_are_exclusive():
    metric = Localisation()
    guesses = [[pose(0.5, 0, 0)], [pose(0.3, 0.3, 14.9, z=7)], [pose(0, 0.99, 29.9)], [pose(0, 1, 30.1)], []]
    statistics = metric.measure(guesses, [[pose(0, 0, 0)]] * 5)
    assert metric.names == ("Acc@0.5m", "Acc@1m", "Acc@15°", "Acc@30°")
    assert statistics.tolist() == [[0, 1, 1, 1], [1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_the_best_position_and_the_best_rotation_may_be_of_different_guesses():
    guesses = [[pose(0, 0, 90), pose(9, 9, 1), pose(9, 9, 90)]]
    assert Localisation().measure(guesses, [[pose(0, 0, 0)]]).tolist() == [[1, 1, 1, 1]]


def test_headings_are_compared_round_the_circle():
    assert Localisation().measure([[pose(0, 0, 175)]], [[pose(0, 0, -175)]]).tolist() == [[1, 1, 1, 1]]


def test_bad_poses_are_named():
    truth = [[pose(0, 0, 0)]]
    with pytest.raises(AnswerError, match=r"question 0 \(counted from 0\) has 4 guesses; the track allows 3"):
        Localisation().measure([[pose(0, 0, 0)] * 4], truth)
    for bad in ([0, 0, 0, 0, 0, 0, 0], [math.nan, 0, 0, 0, 0, 0, 1], [0, 0, 0]):
        with pytest.raises(AnswerError, match=r"question 0 \(counted from 0\) has the pose"):
            Localisation().measure([[bad]], truth)
