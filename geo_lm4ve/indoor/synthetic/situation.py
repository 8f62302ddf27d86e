"""Where somebody stands in a room and looks, as in SQA3D, and what that person says about it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64
from numpy.random import Generator

from geo_lm4ve.indoor.synthetic.plan import Plan, Thing

TRIES = 40
"""Places that are tried for one situation."""
STANDING, SITTING = 1.6, 1.2
"""Height of the eyes above the floor [m]."""
SEATS = ("sofa", "toilet", "bed")
BY = (0.2, 0.45)
"""Distance from what somebody stands by [m]."""
ROOM = 0.15
"""Distance from everything else that somebody keeps [m]."""
AHEAD = 1.3
"""Least distance to the middle of what somebody faces [m], so that a step does not change the direction much."""
SECTOR = 45.0
"""Half of the angle that is in front, to the left, to the right or behind [degrees]."""
STEP, TURN = 0.2, 8.0
"""What is asked has one answer wherever somebody stands within so many metres and looks within so many degrees."""


@dataclass(frozen=True, eq=False)
class Situation:
    """A place and a direction.

    Attributes:
        plan: the room.
        position: (2,) on the floor [m], in the frame of the walls.
        eyes: height of the eyes [m].
        texts: the person's words, then other words for the same.
        by, facing: what the words name.
    """

    plan: Plan
    position: Float64[np.ndarray, " 2"]
    eyes: float
    texts: tuple[str, ...]
    by: Thing
    facing: Thing

    @property
    def heading(self) -> float:
        """Direction of the eyes, counterclockwise from +x [rad]."""
        x, y = (self.facing.center[:2] - self.position).tolist()
        return math.atan2(y, x)

    @cached_property
    def bearings(self) -> Float64[np.ndarray, "p t"]:
        """Direction of the middle of every thing of the plan, from straight ahead to the left [degrees, +-180].

        From P places and directions for which the same words would do.
        """
        seen = _towards(self._places[:, None], (self.plan.lows + self.plan.highs)[:, :2] / 2)
        heading = _towards(self._places, self.facing.center[:2])[:, None]
        turned = np.concatenate([heading + turn for turn in np.deg2rad([0, -TURN, TURN])])
        angle: Float64[np.ndarray, "p t"] = np.degrees(np.tile(seen, (3, 1)) - turned)
        return (angle + 180) % 360 - 180

    @cached_property
    def distances(self) -> Float64[np.ndarray, "q t"]:
        """Horizontal distance to the box of every thing of the plan [m], from Q places as in ``bearings``."""
        return self.plan.distances(self._places)

    @property
    def _places(self) -> Float64[np.ndarray, "q 2"]:
        angles = np.arange(8) * np.pi / 4
        steps = STEP * np.stack([np.cos(angles), np.sin(angles)], 1)
        return self.position + np.concatenate([np.zeros((1, 2)), steps])

    @cached_property
    def sides(self) -> list[int | None]:
        """Middle of the sector that every thing of the plan is in [degrees to the left]; None where that is unclear."""
        sectors = sector(self.bearings)
        return [int(column[0]) if (column == column[0]).all() else None for column in sectors.T]

    @cached_property
    def others(self) -> dict[Thing, int]:
        """What the words do not name and is the only one of its category, with its row."""
        return {thing: row for thing, row in self.plan.single.items() if thing not in (self.by, self.facing)}


def sector(bearings: Float64[np.ndarray, "*n"]) -> Int64[np.ndarray, "*n"]:
    """Middle of the sector of each: 0, 90, 180 or -90 [degrees to the left]."""
    middle = 2 * SECTOR * np.floor((bearings + SECTOR) / (2 * SECTOR)).astype(np.int64)
    return np.where(middle == -180, 180, middle).astype(np.int64)


def situate(plan: Plan, random: Generator) -> Situation | None:
    """Somebody in a room, by one thing and facing another; None if no place was found."""
    single = [thing for thing in plan.single if thing.support < 0]
    for _ in range(TRIES if len(single) > 1 else 0):
        by, facing = (single[row] for row in random.choice(len(single), 2, replace=False))
        sits = by.name in SEATS and random.random() < 0.5
        place = by.center[:2] if sits else _beside(by, random)
        if np.linalg.norm(facing.center[:2] - place) > AHEAD and (sits or _free(plan, place)):
            texts = _texts(by.name, facing.name, sits)
            first = int(random.integers(len(texts)))
            return Situation(
                plan, place, SITTING if sits else STANDING, (texts[first], texts[1 - first]), by, facing
            )  # fmt: skip
    return None


def _texts(by: str, facing: str, sits: bool) -> tuple[str, str]:
    if sits:
        return f"I am sitting on the {by} and facing the {facing}.", f"Sitting on the {by}, I look at the {facing}."
    return f"I am standing by the {by}, facing the {facing}.", f"I stand next to the {by} and look at the {facing}."


def _beside(thing: Thing, random: Generator) -> Float64[np.ndarray, " 2"]:
    """A place before one of the four sides of a box."""
    reach = (thing.high - thing.low)[:2] / 2
    shift, axis = random.uniform(-reach, reach), int(random.integers(2))
    shift[axis] = random.choice((-1, 1)) * (reach[axis] + random.uniform(*BY))
    return thing.center[:2] + shift


def _free(plan: Plan, place: Float64[np.ndarray, " 2"]) -> bool:
    inside = bool((np.abs(place) < np.array(plan.size[:2]) / 2 - ROOM).all())
    return inside and bool((plan.distances(place[None])[0, plan.standing] > ROOM).all())


def _towards(place: Float64[np.ndarray, "*n 2"], target: Float64[np.ndarray, "*m 2"]) -> Float64[np.ndarray, "*k"]:
    """Direction from one to the other, counterclockwise from +x [rad]."""
    way = target - place
    return np.arctan2(way[..., 1], way[..., 0])
