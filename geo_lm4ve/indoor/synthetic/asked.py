"""A question with its right answers, and how one is drawn so that the question alone says little."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from numpy.random import Generator

from geo_lm4ve.indoor.synthetic.kinds import KINDS

Subject = TypeVar("Subject")
Item = TypeVar("Item")


@dataclass(frozen=True)
class Asked:
    """One question.

    Attributes:
        text: the question.
        answers: right answers, at least one.
        things: rows in the plan of what the answer is about; () where it is about something that is not there.
        weight: how often it is drawn, beside others; less for what most rooms have.
    """

    text: str
    answers: tuple[str, ...]
    things: tuple[int, ...] = ()
    weight: float = 1.0


Template = Callable[[Subject], Sequence[Asked]]
"""All questions of one kind that have one right answer about a room, or about a place in it."""


def draw(subject: Subject, templates: Mapping[Template[Subject], float], count: int, random: Generator) -> list[Asked]:
    """Different questions about something; fewer than ``count`` where there are no more.

    A template is drawn by its weight, then an answer, then a question that has it: rare answers come as often as
    frequent ones.
    """
    left = {template: list(template(subject)) for template in templates}
    found: list[Asked] = []
    while len(found) < count and any(left.values()):
        open_ones = [template for template, questions in left.items() if questions]
        template = _weighted(open_ones, [templates[one] for one in open_ones], random)
        asked = _balanced(left[template], random)
        # Not the same again in other words, nor something else about the same things.
        left[template] = [
            one for one in left[template]
            if one.text != asked.text and (one.things != asked.things or not asked.things)
        ]  # fmt: skip
        found.append(asked)
    return found


def _balanced(questions: Sequence[Asked], random: Generator) -> Asked:
    by_answer: dict[str, list[Asked]] = {}
    for one in questions:
        by_answer.setdefault(one.answers[0], []).append(one)
    most = [max(one.weight for one in same) for same in by_answer.values()]
    answer = _weighted(list(by_answer), most, random)
    return _weighted(by_answer[answer], [one.weight for one in by_answer[answer]], random)


def rarity(name: str) -> float:
    """Weight of an answer that is a category: less for one of which rooms have many things."""
    return min(1.0, 0.5 / KINDS[name].mean_count)


def pairs(things: Sequence[Item]) -> Iterator[tuple[Item, Item]]:
    """Every two once, in an order that says nothing."""
    for (row, one), (other_row, other) in itertools.combinations(enumerate(things), 2):
        yield (one, other) if (row + other_row) % 2 else (other, one)


def _weighted(items: Sequence[Item], weights: Sequence[float], random: Generator) -> Item:
    total = sum(weights)
    return items[int(random.choice(len(items), p=[weight / total for weight in weights]))]
