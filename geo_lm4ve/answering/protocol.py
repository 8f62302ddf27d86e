"""A protocol: everything that turns the same answers into one evaluation's numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from geo_lm4ve.answering.metrics.base import Metric, RankedMetric, TextMetric, TokenMetric
from geo_lm4ve.answering.metrics.localisation import PoseMetric

Clean: TypeAlias = Callable[[str], str]


def unchanged(text: str) -> str:
    """The text as it is."""
    return text


@dataclass(frozen=True)
class Protocol:
    """How one published evaluation scores.

    Attributes:
        name: as in ``--protocol``: "scanqa:leo".
        source: whose it is, and the file that was read.
        cleaning: what is done to the texts, in words.
        ranked: metrics of all guesses of a question.
        texts: metrics of the first guess as a text.
        words: metrics of the first guess as tokens.
        clean: of guesses.
        clean_references: of right answers.
        boxes: whether it also looks where an answer points (Acc@0.25, Acc@0.5).
        poses: metrics of where the asker stands; a protocol that has some has no others, its answers are poses.
        treebank: tokens are those of the Penn Treebank; else what lies between blanks.
        first_reference: only the first right answer counts.
        scenes_answered: questions of scenes in which nothing is answered do not count.
        vocabulary: a guess outside the answer vocabulary is wrong, where one is given.
        unknown: the class that then stands for every right answer outside of it; "" for none.
        bugs: what it does that its authors hardly meant; all of it is reproduced.
    """

    name: str
    source: str
    cleaning: str
    ranked: tuple[RankedMetric, ...] = ()
    texts: tuple[TextMetric, ...] = ()
    words: tuple[TokenMetric, ...] = ()
    clean: Clean = unchanged
    clean_references: Clean = unchanged
    boxes: bool = False
    poses: tuple[PoseMetric, ...] = ()
    treebank: bool = True
    first_reference: bool = False
    scenes_answered: bool = False
    vocabulary: bool = False
    unknown: str = ""
    bugs: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all values, in the order of the table."""
        metrics: tuple[Metric, ...] = (*self.ranked, *self.texts, *self.words, *self.poses)
        return tuple(name for metric in metrics for name in metric.names)

    @property
    def denominator(self) -> str:
        """Which questions count."""
        return "questions of scenes in which something is answered" if self.scenes_answered else "all questions"
