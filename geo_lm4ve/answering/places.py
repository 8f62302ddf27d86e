"""Questions and answers of SQA3D's localisation track: what is asked is where the asker stands."""

from __future__ import annotations

from dataclasses import replace

from geo_lm4ve.answering.files.poses import shown
from geo_lm4ve.answering.files.predictions import Predictions
from geo_lm4ve.answering.metrics.base import AnswerError
from geo_lm4ve.answering.questions import QuestionSet


def asked_places(asked: QuestionSet) -> QuestionSet:
    """The same questions with their asker's pose, in words, as the right answer.

    Raises:
        AnswerError: a question has no pose.
    """
    if lacking := [question.id for question in asked.questions if not question.pose]:
        raise AnswerError(
            f"{asked.path} has no position and rotation for {len(lacking):,} questions ({lacking[0]!r}, ...), so there "
            "is nothing to compare places with; v1_balanced_sqa_annotations_SPLIT_scannetv2.json has them"
        )
    return replace(asked, questions=[replace(one, answers=(shown(one.pose),)) for one in asked.questions])


def said_places(predictions: Predictions) -> Predictions:
    """The same predictions with their poses, in words, as the answers; answers to the questions are left out.

    Raises:
        AnswerError: there is no pose.
    """
    if not predictions.poses:
        raise AnswerError(
            f"{predictions.path} has no poses: give each question position and rotation, or up to three of these "
            'pairs in a list under "poses"'
        )
    return replace(predictions, guesses={key: tuple(map(shown, poses)) for key, poses in predictions.poses.items()})
