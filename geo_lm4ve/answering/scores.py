"""Scores of answers by one protocol: the same answers, cleaned, tokenised and counted as its authors do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.files.boxes import SceneBoxes, targets
from geo_lm4ve.answering.items import Item
from geo_lm4ve.answering.matching import Match
from geo_lm4ve.answering.metrics.base import AnswerError, MeanMetric, Metric
from geo_lm4ve.answering.metrics.box_accuracy import BoxAccuracy
from geo_lm4ve.answering.metrics.cider import Cider
from geo_lm4ve.answering.protocol import Protocol
from geo_lm4ve.language.tokeniser import Blanks, Tokeniser

RIGHT = 0.999
"""From this value of its first metric on, an answer is right: ``rouge`` gives .999999995 to a perfect one."""


@dataclass(frozen=True)
class Texts:
    """What the metrics of a protocol get: one entry for each question.

    Attributes:
        guesses: all cleaned guesses, ("",) where there is none.
        references: cleaned right answers.
    """

    guesses: Sequence[tuple[str, ...]]
    references: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Scores:
    """What a protocol makes of answers.

    Attributes:
        protocol: whose rules.
        found: questions that count, and what was answered.
        texts: as the metrics got them.
        statistics: metric -> its statistics (n, k), a row for each question.
        lacking: metric -> what would have to be installed.
        tokeniser: name; "" where the protocol needs none.
        whole: answers and right answers of metrics that take something from the whole set (CIDEr).
    """

    protocol: Protocol
    found: Match
    texts: Texts
    statistics: dict[Metric, Float64[np.ndarray, "n k"]]
    lacking: dict[str, str]
    tokeniser: str
    whole: dict[Metric, tuple[Sequence[Any], Sequence[Any]]]

    def metrics(self) -> dict[str, float]:
        """Name -> percent."""
        tables = self.statistics.items()
        return {name: 100 * value for metric, table in tables for name, value in metric.score(table).items()}

    def metrics_of(self, rows: Sequence[int]) -> dict[str, float]:
        """Name -> percent of some questions, as if there were no others: CIDEr weighs words by what is rare among them.

        So do the official ``score.py --detailed`` and 3D-LLM's evaluation of types.
        """
        values = dict[str, float]()
        for metric, table in self.statistics.items():
            part = table[list(rows)]
            if metric in self.whole:
                answers, references = self.whole[metric]
                part = metric.measure([answers[row] for row in rows], [references[row] for row in rows])
            values |= {name: 100 * value for name, value in metric.score(part).items()}
        return values

    def rows_by_type(self) -> dict[str, list[int]]:
        """Type -> its questions, most frequent first."""
        rows = dict[str, list[int]]()
        for row, kind in enumerate(self.found.types):
            rows.setdefault(kind, []).append(row)
        return dict(sorted(rows.items(), key=lambda pair: -len(pair[1])))

    @cached_property
    def values(self) -> dict[str, Float64[np.ndarray, " n"]]:
        """Name -> percent of every question by itself."""
        return {
            name: 100 * column
            for metric, table in self.statistics.items()
            for name, column in metric.items(table).items()
        }

    @cached_property
    def right(self) -> np.ndarray:
        """Which answers are right by the first metric of the protocol."""
        if not self.values:
            raise AnswerError(f"nothing of {self.protocol.name} can be computed: {'; '.join(self.lacking.values())}")
        return next(iter(self.values.values())) > 100 * RIGHT


class Items(Sequence[Item]):
    """The scored answers one by one, made as they are looked at: half a million need no memory.

    Args:
        scores: of the answers.
    """

    def __init__(self, scores: Scores):
        self.scores = scores

    def __len__(self) -> int:
        """Questions that count."""
        return len(self.scores.found.questions)

    def __getitem__(self, row: Any) -> Any:
        """The item of one question."""
        if isinstance(row, slice):
            return [self[one] for one in range(*row.indices(len(self)))]
        found, texts = self.scores.found, self.scores.texts
        question, guesses = found.questions[row], found.guesses[row]
        return Item(
            question.id, question.scene, found.types[row], question.text, question.situation,
            guesses[0] if guesses else None, texts.guesses[row][0], question.answers, bool(self.scores.right[row]),
            {name: float(column[row]) for name, column in self.scores.values.items()},
        )  # fmt: skip


@dataclass(frozen=True)
class Means:
    """What scoring has at hand besides questions and answers.

    Attributes:
        treebank: makes the tokens where a protocol wants those of the Penn Treebank.
        vocabulary: answers that a classifier knows, for protocols that ask.
        boxes: scene -> boxes of its objects, for protocols that look where an answer points.
        any_object: the best of a question's objects counts for boxes, not its first alone.
        without: names of values that are not wanted (METEOR and SPICE take their time).
    """

    treebank: Tokeniser
    vocabulary: frozenset[str] | None = None
    boxes: Mapping[str, SceneBoxes] | None = None
    any_object: bool = False
    without: Sequence[str] = ()


def score(found: Match, protocol: Protocol, means: Means) -> Scores:
    """Score matched answers by one protocol.

    Raises:
        AnswerError: no question counts.
        UserError: the tokeniser lacks something.
    """
    found = _counted(found, protocol)
    texts = _cleaned(found, protocol, means.vocabulary)
    lacking, statistics = dict[str, str](), dict[Metric, Float64[np.ndarray, "n k"]]()
    missing = np.array([not guesses for guesses in found.guesses])
    tokeniser = means.treebank if protocol.treebank else Blanks()
    whole = dict[Metric, tuple[Sequence[Any], Sequence[Any]]]()
    for task in _tasks(protocol, found, texts, tokeniser, means):
        if reason := _reason(task, means):
            lacking.update(dict.fromkeys(task.metric.names, reason))
            continue
        statistics[task.metric] = table = task.metric.measure(task.answers, task.references)
        if isinstance(task.metric, MeanMetric):  # "" is a part of every reference: refined matches take it for right
            table[missing] = 0
        if isinstance(task.metric, Cider):
            whole[task.metric] = task.answers, task.references
    return Scores(protocol, found, texts, statistics, lacking, tokeniser.name if protocol.words else "", whole)


@dataclass(frozen=True)
class _Task:
    """A metric and what it measures, or what is lacking for that."""

    metric: Metric
    answers: Any = None
    references: Any = None
    lacks: str = ""


def _reason(task: _Task, means: Means) -> str:
    """Why a metric cannot be measured; ""."""
    if unwanted := [name for name in task.metric.names if name in means.without]:
        return f"not wanted (--without {' '.join(unwanted)})"
    return task.lacks or task.metric.lacks()


def _counted(found: Match, protocol: Protocol) -> Match:
    if not protocol.scenes_answered:
        return found
    scenes = {question.scene for question, guesses in zip(found.questions, found.guesses) if guesses}
    return found.rows([row for row, question in enumerate(found.questions) if question.scene in scenes])


def _cleaned(found: Match, protocol: Protocol, vocabulary: frozenset[str] | None) -> Texts:
    last = 1 if protocol.first_reference else None
    references = [tuple(map(protocol.clean_references, one.answers[:last])) for one in found.questions]
    guesses = [tuple(map(protocol.clean, one)) or ("",) for one in found.guesses]
    if protocol.vocabulary and vocabulary is not None:
        guesses = [tuple(one if one in vocabulary else "" for one in several) for several in guesses]
        unknown = protocol.unknown
        references = [tuple(one if one in vocabulary else unknown or one for one in right) for right in references]
    return Texts(guesses, references)


def _tasks(protocol: Protocol, found: Match, texts: Texts, tokeniser: Tokeniser, means: Means) -> list[_Task]:
    """Each metric of a protocol with what it measures, in the order of the table."""
    first = [guesses[0] for guesses in texts.guesses]
    tasks = [_Task(metric, texts.guesses, texts.references) for metric in protocol.ranked]
    tasks += [_Task(metric, first, texts.references) for metric in protocol.texts]
    if lacks := tokeniser.lacks() if protocol.words else "":
        tasks += [_Task(metric, lacks=lacks) for metric in protocol.words]
    elif protocol.words:
        answers, references = _tokens(first, texts.references, tokeniser)
        tasks += [_Task(metric, answers, references) for metric in protocol.words]
    tasks += _pose_tasks(protocol, found) if protocol.poses else []
    return tasks + (_box_tasks(found, means) if protocol.boxes else [])


def _pose_tasks(protocol: Protocol, found: Match) -> list[_Task]:
    guesses = [found.predictions.poses.get(question.id, ()) for question in found.questions]
    right = [[question.pose] for question in found.questions]
    return [_Task(metric, guesses, right) for metric in protocol.poses]


def _box_tasks(found: Match, means: Means) -> list[_Task]:
    metric, predicted = BoxAccuracy(means.any_object), found.predictions.boxes
    if means.boxes is None:
        return [_Task(metric, lacks="needs the boxes of the scans' objects: --boxes PLACE")] if predicted else []
    nothing = np.empty(0)
    answers = [predicted.get(question.id, nothing) for question in found.questions]
    return [_Task(metric, answers, targets(found.questions, means.boxes))]


def _tokens(
    first: Sequence[str], references: Sequence[tuple[str, ...]], tokeniser: Tokeniser
) -> tuple[list[list[str]], list[list[list[str]]]]:
    """Tokens of answers and of right answers; a text that occurs often is tokenised once."""
    texts = list(dict.fromkeys([*first, *(one for several in references for one in several)]))
    tokens = dict(zip(texts, tokeniser.tokenise(texts)))
    return [tokens[one] for one in first], [[tokens[one] for one in several] for several in references]
