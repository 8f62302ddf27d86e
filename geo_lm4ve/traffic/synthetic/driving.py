"""How made-up cars drive: along routes of lanes, slower at junctions, some of them stopping at the line first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo_lm4ve.traffic.batch import HZ
from geo_lm4ve.traffic.synthetic.network import JUNCTION_SPEED, STREET_SPEED, Town

STEP = 1 / HZ
CELL = 0.5
ACCELERATION, BRAKING, STOPPING = 2.5, 2.5, 5.0
"""Seconds per step; metres per cell of a speed profile; m/s^2. A car that is going to stop at the line brakes later and
harder than one that slows down for it, so that farther away nobody can tell which it is."""

AMBIGUOUS_FROM = 12.0
"""At this distance before the line [m] and more, going on and stopping look the same: there
2 * STOPPING * d >= JUNCTION_SPEED**2 + 2 * BRAKING * d holds with a step to spare for a pace of at most 1."""


@dataclass(frozen=True)
class Route:
    """A sequence of lanes as one line.

    Attributes:
        points: (P, 2) [m].
        along: (P,) metres from its start.
        lines: metres from its start to the stop lines it crosses.
        speed: (C,) greatest speed in each cell of 0.5 m, braking included [m/s].
    """

    points: NDArray[np.float64]
    along: NDArray[np.float64]
    lines: list[float]
    speed: NDArray[np.float64]

    def at(self, s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Positions (..., 2) and headings (...) at ``s`` metres."""
        x, y = (np.interp(s, self.along, self.points[:, axis]) for axis in (0, 1))
        back, ahead = np.maximum(s - 0.5, 0), np.minimum(s + 0.5, self.along[-1])
        dx, dy = (
            np.interp(ahead, self.along, self.points[:, axis]) - np.interp(back, self.along, self.points[:, axis])
            for axis in (0, 1)
        )
        return np.stack([x, y], -1), np.arctan2(dy, dx)


@dataclass(frozen=True)
class Plan:
    """What one driver will do.

    Attributes:
        route: where.
        start: metres from the route's start.
        pace: factor on the speed between junctions.
        stop: metres from the route's start to the line at which to stop, or infinity.
        wait: seconds to stand there.
    """

    route: Route
    start: float
    pace: float = 1.0
    stop: float = np.inf
    wait: float = 0.0


def make_route(town: Town, rows: Sequence[int]) -> Route:
    """The route over these lanes."""
    pieces = [town.map.centreline(row) for row in rows]
    points = np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])
    along = np.concatenate([[0], np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum()])
    ends = along[np.cumsum([len(piece) - 1 for piece in pieces])]
    starts = np.concatenate([[0], ends[:-1]])
    cells = np.arange(0, along[-1] + CELL, CELL)
    speed = np.full(len(cells), STREET_SPEED)
    lines = []
    for row, start, end in zip(rows, starts, ends):
        if town.junction[row]:
            lines.append(float(start))
            speed[(cells >= start) & (cells <= end)] = JUNCTION_SPEED
    gain = 2 * BRAKING * cells
    least = np.minimum.accumulate((speed**2 + gain)[::-1])[::-1]
    return Route(points, along, lines, np.sqrt(least - gain))


def wander(town: Town, rows: list[int], length: float, random: np.random.Generator) -> list[int]:
    """The lanes extended by random successors until they are ``length`` metres long or the town ends."""
    rows, total = list(rows), sum(_length(town, row) for row in rows)
    while total < length and (choices := town.successors[rows[-1]]):
        rows.append(int(random.choice(choices)))
        total += _length(town, rows[-1])
    return rows


def come_from(town: Town, row: int, length: float, random: np.random.Generator) -> list[int]:
    """Lanes that lead to the end of lane ``row``, at least ``length`` metres where the town is large enough."""
    rows, total = [row], _length(town, row)
    while total < length and (choices := town.predecessors[rows[0]]):
        rows.insert(0, int(random.choice(choices)))
        total += _length(town, rows[0])
    return rows


def drive(plans: Sequence[Plan], steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres along their routes and speeds of cars that follow their plans: both (cars, steps)."""
    longest = max(len(plan.route.speed) for plan in plans)
    profile = np.stack([np.pad(plan.route.speed, (0, longest - len(plan.route.speed)), "edge") for plan in plans])
    pace = np.array([plan.pace for plan in plans])
    end = np.array([plan.route.along[-1] for plan in plans])
    place, stop = np.array([plan.start for plan in plans]), np.array([plan.stop for plan in plans])
    wait = np.array([plan.wait for plan in plans])
    cars = np.arange(len(plans))

    def allowed() -> NDArray[np.float64]:
        limit = profile[cars, np.minimum((place / CELL).astype(int), longest - 1)] * pace
        return np.minimum(limit, np.sqrt(2 * STOPPING * np.maximum(stop - place, 0)))

    speed = allowed()
    track, speeds = np.empty((len(plans), steps)), np.empty((len(plans), steps))
    for step in range(steps):
        track[:, step], speeds[:, step] = place, speed
        standing = (speed < 0.6) & (stop - place < 1.0)
        wait = np.where(standing, wait - STEP, wait)
        stop = np.where(standing & (wait <= 0), np.inf, stop)
        speed = np.where(standing & (wait > 0), 0.0, np.minimum(allowed(), speed + ACCELERATION * STEP))
        place = np.minimum(place + speed * STEP, end)
    return track, speeds


def _length(town: Town, row: int) -> float:
    return float(np.linalg.norm(np.diff(town.map.centreline(row), axis=0), axis=1).sum())
