"""The localisation track of SQA3D: where does the situation put the agent, and which way does it look?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from geo_lm4ve.answering.metrics.base import AnswerError, MeanMetric, Metric, pairs

Pose: TypeAlias = Sequence[float] | np.ndarray
"""Position x, y, z in metres and quaternion x, y, z, w."""
PoseMetric: TypeAlias = Metric[Sequence[Pose], Pose]
"""Answers are guesses of a pose, in any order, and the reference is the pose."""
GUESSES = 3
"""Most guesses that a system may give; the best position and the best rotation count, each by itself."""
METRES, DEGREES = (0.5, 1.0), (15.0, 30.0)
"""An error has to be below these (``utils/localization_metric.py``)."""


class Localisation(MeanMetric[Sequence[Pose], Pose]):
    """Acc@0.5m, Acc@1m (on the floor plan) and Acc@15°, Acc@30° (about z) of the best of up to three guesses.

    The angle about z is the last component of the rotation vector, as published: it is the heading only where the
    rotation is about z alone.
    """

    names = (*(f"Acc@{limit:g}m" for limit in METRES), *(f"Acc@{limit:g}°" for limit in DEGREES))

    def measure(
        self, answers: Sequence[Sequence[Pose]], references: Sequence[Sequence[Pose]]
    ) -> Float[np.ndarray, "n 4"]:
        """1 or 0 for each limit; a question without a guess is a miss. One reference a question.

        Raises:
            AnswerError: more guesses than three, or a pose that is not seven finite numbers with a quaternion.
        """
        best = np.full((len(answers), 2), np.inf)
        rows = [
            (number, guess, right[0])
            for number, (guesses, right) in enumerate(pairs(answers, references))
            for guess in _allowed(guesses, number)
        ]
        if rows:
            numbers, guesses, right = zip(*rows)
            np.minimum.at(best, list(numbers), _errors(_poses(guesses, numbers), _poses(right, numbers)))
        limits = np.array([METRES, DEGREES])
        return (best[:, :, None] < limits).reshape(-1, 4).astype(np.float64)


def _allowed(guesses: Sequence[Pose], question: int) -> Sequence[Pose]:
    if len(guesses) > GUESSES:
        raise AnswerError(
            f"question {question} (counted from 0) has {len(guesses)} guesses; the track allows {GUESSES}"
        )
    return guesses


def _poses(given: Sequence[Pose], questions: Sequence[int]) -> Float[np.ndarray, "n 7"]:
    for question, one in zip(questions, given):
        if np.shape(one) != (7,) or not np.isfinite(one).all() or not np.any(one[3:]):
            raise AnswerError(
                f"question {question} (counted from 0) has the pose {np.asarray(one).tolist()}; a pose is seven finite "
                "numbers: position x, y, z in metres and a quaternion x, y, z, w that is not 0"
            )
    return np.array(given, np.float64)


def _errors(guess: Float[np.ndarray, "n 7"], right: Float[np.ndarray, "n 7"]) -> Float[np.ndarray, "n 2"]:
    """Metres on the floor plan and degrees about z."""
    from scipy.spatial.transform import Rotation  # scoring texts does without it

    metres = np.linalg.norm(guess[:, :2] - right[:, :2], axis=1)
    turn = np.abs(
        Rotation.from_quat(guess[:, 3:]).as_rotvec()[:, 2] - Rotation.from_quat(right[:, 3:]).as_rotvec()[:, 2]
    )
    return np.stack([metres, np.degrees(np.minimum(turn, 2 * np.pi - turn))], 1)
