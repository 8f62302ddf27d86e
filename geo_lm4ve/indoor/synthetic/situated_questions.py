"""Questions that somebody in a room asks from there, as in SQA3D."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.random import Generator

from geo_lm4ve.indoor.synthetic.asked import Asked, Template, draw, pairs, rarity
from geo_lm4ve.indoor.synthetic.kinds import KINDS
from geo_lm4ve.indoor.synthetic.situation import Situation, sector

SIDES = {"in front of me": 0, "on my left": 90, "behind me": 180, "on my right": -90}
"""Words -> middle of the sector [degrees to the left]."""
WAYS = {0: "forward", 90: "left", 180: "behind", -90: "right"}
"""Middle of the sector -> where something is, in one word."""
CLOSER, CLEAR = 0.4, 0.1
"""What is so much nearer [m] is closer; the nearest of all is so much nearer than the next one."""
NUMBERS = ("zero", "one", "two", "three", "four")
SELDOM = {0: 0.4, 90: 1.0, 180: 4.0, -90: 1.0}
"""Weight of questions about each sector: most things are in front of somebody who looks into the room."""
MORE = (0.35, 0.8, 2.5, 5.0, 8.0)
"""Weight of questions by the number that answers them: on most sides there is none."""
TALL = 1.4
"""What is higher [m] hides what is behind it; what is lower hides nothing that hangs on a wall."""


def ask_from(situation: Situation, count: int, random: Generator) -> list[Asked]:
    """Questions asked from a place."""
    return draw(situation, TEMPLATES, count, random)


def nearest(situation: Situation) -> list[Asked]:
    """The nearest thing on the floor on one side, unless the situation names it."""
    found, plan = [], situation.plan
    for words, middle in SIDES.items():
        row = _first(situation, middle)
        if row is not None and plan.things[row].name not in (situation.by.name, situation.facing.name):
            name = plan.things[row].name
            found.append(Asked(f"What is the closest thing on the floor {words}?", (name,), (row,), rarity(name)))
    return found


def _first(situation: Situation, middle: int) -> int | None:
    """Row of the nearest thing on the floor in a sector; None where there is none or that is hard to say."""
    floor = situation.plan.standing
    sectors = sector(situation.bearings[:, floor])
    maybe, surely = (sectors == middle).any(0), (sectors == middle).all(0)
    lowest, highest = situation.distances[:, floor].min(0), situation.distances[:, floor].max(0)
    there = np.flatnonzero(surely)
    if not len(there):
        return None
    first = there[highest[there].argmin()]
    rivals = maybe & (lowest < highest[first] + CLEAR)
    return floor[first] if rivals.sum() == 1 else None


def _by_side(situation: Situation, name: str) -> dict[int, list[int]]:
    """Middle of a sector -> rows of the things of a category in it; empty where one of them is hard to place."""
    rows = [row for row, thing in enumerate(situation.plan.things) if thing.name == name]
    if not rows or any(situation.sides[row] is None for row in rows):
        return {}
    return {middle: [row for row in rows if situation.sides[row] == middle] for middle in SIDES.values()}


def colors(situation: Situation) -> list[Asked]:
    """Of the only thing of a category on one side."""
    found, things = [], situation.plan.things
    for name in sorted({thing.name for thing in things} - {situation.by.name, situation.facing.name}):
        rows = _by_side(situation, name)
        for words, middle in SIDES.items():
            if len(there := rows.get(middle, [])) == 1:
                found.append(Asked(f"What color is the {name} {words}?", (things[there[0]].color,), tuple(there)))
    return found


def whether(situation: Situation) -> list[Asked]:
    """Whether something is on one side; asked of sides where one thing is and another is not."""
    found = []
    there = [(thing, row) for thing, row in situation.others.items() if situation.sides[row] is not None]
    for words, middle in SIDES.items():
        right = {row for _, row in there if situation.sides[row] == middle}
        found += _either({row: f"Is the {thing.name} {words}?" for thing, row in there}, right)
    return found


def _either(questions: Mapping[int, str], right: Collection[int]) -> list[Asked]:
    """Questions by the row they are about: yes for those in ``right``, no for the others, with equal weights.

    None where all have one answer.
    """
    yes, no = len(right), len(questions) - len(right)
    return [
        Asked(text, ("yes",), (row,), 1 / yes) if row in right else Asked(text, ("no",), (row,), 1 / no)
        for row, text in questions.items() if yes and no
    ]  # fmt: skip


def numbers(situation: Situation) -> list[Asked]:
    """How many things of a category there are on one side."""
    found = []
    for name, plural in ((name, kind.plural) for name, kind in KINDS.items() if kind.plural):
        rows = _by_side(situation, name)
        for words, there in ((words, tuple(rows[middle])) for words, middle in SIDES.items() if rows):
            found.append(Asked(f"How many {plural} are {words}?", (NUMBERS[len(there)],), there, MORE[len(there)]))
    return found


def sight(situation: Situation) -> list[Asked]:
    """Whether something on a wall or tall, which nothing hides, is in view."""
    shown = {
        row: thing for thing, row in situation.others.items()
        if (thing.hung or thing.high[2] > TALL) and situation.sides[row] is not None and not _hidden(situation, row)
    }  # fmt: skip
    questions = {row: f"Can I see the {thing.name} without turning?" for row, thing in shown.items()}
    return _either(questions, {row for row in shown if situation.sides[row] == 0})


def _hidden(situation: Situation, row: int) -> bool:
    """Whether anything tall stands on the way to a thing."""
    plan, share = situation.plan, np.linspace(0.1, 1, 10)[:, None]
    way = situation.position + share * (plan.things[row].center[:2] - situation.position)
    tall = [other for other in plan.standing if plan.highs[other, 2] > TALL and other != row]
    return bool((plan.distances(way)[:, tall] == 0).any())


def closer(situation: Situation) -> list[Asked]:
    """Which of two is closer."""
    found, rows = [], situation.others
    for one, other in pairs(list(rows)):
        difference = situation.distances[:, rows[one]] - situation.distances[:, rows[other]]
        if (np.abs(difference) > CLOSER).all():
            near = one if difference[0] < 0 else other
            text = f"Which is closer to me, the {one.name} or the {other.name}?"
            found.append(Asked(text, (near.name,), (rows[near],), rarity(near.name)))
    return found


def directions(situation: Situation) -> list[Asked]:
    """Which way something is."""
    return [
        Asked(f"In which direction is the {thing.name}?", (WAYS[where],), (row,), SELDOM[where])
        for thing, row in situation.others.items() if (where := situation.sides[row]) is not None
    ]  # fmt: skip


def turns(situation: Situation) -> list[Asked]:
    """Which way to turn to face something that is on one side."""
    return [
        Asked(f"Which way should I turn to face the {thing.name}?", (WAYS[where],), (row,))
        for thing, row in situation.others.items() if (where := situation.sides[row]) in (90, -90)
    ]  # fmt: skip


TEMPLATES: dict[Template[Situation], float] = {
    nearest: 4, colors: 4, whether: 2, numbers: 2, sight: 2, closer: 1, directions: 2, turns: 1,
}  # fmt: skip
"""Template -> how often it is drawn."""
