"""A room before it is scanned: what stands where, in the frame of the walls, with the floor at z = 0."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.geometry.solids.mesh import Mesh


@dataclass(frozen=True, eq=False)
class Thing:
    """One object.

    Attributes:
        name: ScanNet's raw category.
        color: word of ``palette.COLORS``.
        form: what people call its form; "" where there is no word.
        mesh: its surface, where it stands [m].
        low, high: (3,) corners of its box [m].
        support: row (in the plan) of what it stands on; -1 for the floor or a wall.
        hung: it is on a wall.
        facing: (2,) horizontal direction of its front, of length 1.
    """

    name: str
    color: str
    form: str
    mesh: Mesh
    low: Float64[np.ndarray, " 3"]
    high: Float64[np.ndarray, " 3"]
    support: int
    hung: bool
    facing: Float64[np.ndarray, " 2"]

    @property
    def center(self) -> Float64[np.ndarray, " 3"]:
        """Of its box [m]."""
        return (self.low + self.high) / 2

    @property
    def stands(self) -> bool:
        """It stands on the floor."""
        return self.support < 0 and not self.hung


@dataclass(frozen=True, eq=False)
class Plan:
    """One room.

    Attributes:
        size: width along x, depth along y, height [m]; the walls stand at x = +-width / 2 and y = +-depth / 2.
        things: all objects but walls and floor.
    """

    size: tuple[float, float, float]
    things: tuple[Thing, ...]

    def named(self, name: str) -> list[Thing]:
        """All things of a category."""
        return [thing for thing in self.things if thing.name == name]

    @cached_property
    def single(self) -> dict[Thing, int]:
        """The things that are the only ones of their category, which words can point at, with their rows."""
        counts = Counter(thing.name for thing in self.things)
        return {thing: row for row, thing in enumerate(self.things) if counts[thing.name] == 1}

    @cached_property
    def standing(self) -> list[int]:
        """Rows of the things that stand on the floor."""
        return [row for row, thing in enumerate(self.things) if thing.stands]

    @cached_property
    def lows(self) -> Float64[np.ndarray, "t 3"]:
        """Of all things."""
        return np.array([thing.low for thing in self.things])

    @cached_property
    def highs(self) -> Float64[np.ndarray, "t 3"]:
        """Of all things."""
        return np.array([thing.high for thing in self.things])

    @cached_property
    def gaps(self) -> Float64[np.ndarray, "t t"]:
        """Horizontal distance between any two boxes [m]; 0 where one is above the other."""
        return gaps(self.lows, self.highs, self.lows, self.highs)

    def distances(self, places: Float64[np.ndarray, "p 2"]) -> Float64[np.ndarray, "p t"]:
        """Horizontal distance from places to the boxes of all things [m]; 0 inside."""
        return gaps(places, places, self.lows, self.highs)


def gaps(
    low: Float64[np.ndarray, "a _"], high: Float64[np.ndarray, "a _"],
    other_low: Float64[np.ndarray, "b _"], other_high: Float64[np.ndarray, "b _"],
) -> Float64[np.ndarray, "a b"]:  # fmt: skip
    """Horizontal distance between boxes of two sets, by their corners."""
    between = np.maximum(low[:, None, :2] - other_high[:, :2], other_low[:, :2] - high[:, None, :2])
    clear = np.maximum(between, 0)
    return np.hypot(clear[..., 0], clear[..., 1])
