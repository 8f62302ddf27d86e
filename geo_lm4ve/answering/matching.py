"""Which answer belongs to which question, and which questions have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from geo_lm4ve.answering.files.predictions import Predictions
from geo_lm4ve.answering.metrics.base import AnswerError
from geo_lm4ve.answering.questions import Question, QuestionSet

NAMED = 3
"""Ids that a message names."""


@dataclass(frozen=True)
class Match:
    """The questions that count, and what a system answered.

    Attributes:
        questions: those that count, in the order of the file.
        types: of each.
        guesses: of each, the best first; () where the system did not answer.
        missing: ids of all questions of the file that the system did not answer.
        extra: ids of answers to questions that the file does not ask.
        total: questions of the file.
        predictions: what was matched.
    """

    questions: Sequence[Question]
    types: Sequence[str]
    guesses: Sequence[tuple[str, ...]]
    missing: Sequence[str]
    extra: Sequence[str]
    total: int
    predictions: Predictions

    def rows(self, rows: Sequence[int]) -> Match:
        """The same with some of its questions."""
        return Match(
            [self.questions[row] for row in rows], [self.types[row] for row in rows],
            [self.guesses[row] for row in rows], self.missing, self.extra, self.total, self.predictions,
        )  # fmt: skip


def match(
    asked: QuestionSet, predictions: Predictions, *, answered_only: bool = False, allow_extra: bool = False
) -> Match:
    """Find the answer to every question.

    Args:
        asked: the questions.
        predictions: the answers.
        answered_only: questions without an answer do not count; they are wrong otherwise.
        allow_extra: answers to other questions are left out; they are an error otherwise.

    Raises:
        AnswerError: no answer belongs to the questions, or some do not and ``allow_extra`` is not set.
    """
    known = {question.id for question in asked.questions}
    extra = [key for key in predictions.guesses if key not in known]
    _check(asked, predictions, extra, allow_extra)
    guesses = [predictions.guesses.get(question.id, ()) for question in asked.questions]
    missing = [question.id for question, found in zip(asked.questions, guesses) if not found]
    whole = Match(asked.questions, asked.types(), guesses, missing, extra, len(known), predictions)
    return whole.rows([row for row, found in enumerate(guesses) if found]) if answered_only else whole


def _check(asked: QuestionSet, predictions: Predictions, extra: Sequence[str], allowed: bool) -> None:
    count, first = len(predictions.guesses), asked.questions[0].id
    if len(extra) == count:
        raise AnswerError(
            f"none of the {count:,} answers of {predictions.path} belongs to a question of {asked.path}: it has "
            f"{named(extra)}, the questions are called like {first!r}; are they of another split? {_positions(extra)}"
        )
    if extra and not allowed:
        raise AnswerError(
            f"{len(extra):,} of {count:,} answers of {predictions.path} belong to no question of {asked.path} "
            f"({named(extra)}); give the split they were made for, or pass --allow-extra to leave them out"
        )


def _positions(ids: Sequence[str]) -> str:
    """What to try where ids count."""
    counts = all(one.isdecimal() and len(one) < 7 for one in ids)
    return "If they count the questions from 0, as 3D-LLM's results do, pass --by-position" if counts else ""


def by_position(asked: QuestionSet, predictions: Predictions) -> Predictions:
    """Predictions whose ids count the questions from 0, under the ids of the questions.

    3D-LLM's results are such: the questions that it counts are those of scenes whose features it has.

    Raises:
        AnswerError: an id is no such number, or there are not as many answers as questions.
    """
    count = len(asked.questions)
    if set(predictions.guesses) != set(map(str, range(count))):
        raise AnswerError(
            f"--by-position needs answers numbered from 0 to {count - 1:,}, one for each question of {asked.path}; "
            f"{predictions.path} has {len(predictions.guesses):,}: {named(list(predictions.guesses))}"
        )
    names = {str(row): question.id for row, question in enumerate(asked.questions)}
    return Predictions(
        predictions.path, {names[key]: value for key, value in predictions.guesses.items()},
        {names[key]: value for key, value in predictions.boxes.items()},
        {names[key]: value for key, value in predictions.poses.items()}, predictions.prompt,
    )  # fmt: skip


def named(ids: Sequence[str]) -> str:
    """The first few ids."""
    return ", ".join(map(repr, ids[:NAMED])) + (", ..." if len(ids) > NAMED else "")
