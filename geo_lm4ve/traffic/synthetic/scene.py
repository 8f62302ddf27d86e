"""Made-up traffic scenes: a target before a junction whose next seconds cannot be told from its past, and others."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from geo_lm4ve.traffic.batch import AgentType
from geo_lm4ve.traffic.synthetic.driving import (
    AMBIGUOUS_FROM,
    STEP,
    Plan,
    Route,
    come_from,
    drive,
    make_route,
    wander,
)
from geo_lm4ve.traffic.synthetic.network import WIDTH, Town

NOISE = 0.02
"""Standard deviation of the position noise [m]."""

AT_JUNCTION = 0.75
"""Part of the scenes whose target stands before its decision; the others are anywhere on their route."""

CARS, PARKED, WALKERS = (5, 14), (0, 4), (0, 4)
"""Least and greatest numbers of further cars, parked cars and pedestrians."""

AROUND = 90.0
"""Other agents start within this distance of the target [m]."""


@dataclass(frozen=True)
class Traffic:
    """A tracks over all steps of a scene; target first, the recording car second.

    Attributes:
        positions: (A, S, 2) [m]; heading: (A, S) [rad]; velocity: (A, S, 2) [m/s].
        valid: (A, S).
        types: AgentType of each track: vehicle, static or pedestrian.
        modes: (M, F, 2) all futures that the target could have chosen at the last observed step, without noise; the
            one it chose is among them. Empty where it had no choice.
    """

    positions: NDArray[np.float64]
    heading: NDArray[np.float64]
    velocity: NDArray[np.float64]
    valid: NDArray[np.bool_]
    types: list[AgentType]
    modes: NDArray[np.float64]


Motion = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]  # positions, heading, speed


def make_traffic(town: Town, history: int, future: int, random: np.random.Generator) -> Traffic:
    """One scene."""
    steps = history + future
    target, modes = _target(town, history, future, random)
    centre = target[0][history - 1]
    cars = _apart([target, *_cars(town, centre, steps, random)])
    parked = [_parked(town, centre, steps, random) for _ in range(random.integers(*PARKED, endpoint=True))]
    walkers = [_walker(town, centre, steps, random) for _ in range(random.integers(*WALKERS, endpoint=True))]
    tracks = [*cars, *parked, *walkers]
    types = [AgentType.vehicle] * len(cars) + [AgentType.static] * len(parked) + [AgentType.pedestrian] * len(walkers)
    positions = np.stack([track[0] for track in tracks])
    heading = np.stack([track[1] for track in tracks])
    speed = np.stack([track[2] for track in tracks])[..., None]
    return Traffic(
        positions=positions + NOISE * random.standard_normal(positions.shape),
        heading=heading,
        velocity=speed * np.stack([np.cos(heading), np.sin(heading)], -1),
        valid=_seen(len(tracks), steps, random),
        types=types,
        modes=modes,
    )


def _target(town: Town, history: int, future: int, random: np.random.Generator) -> tuple[Motion, NDArray[np.float64]]:
    """The target's motion and its possible futures."""
    lead = history * STEP * 13 + 25
    while True:
        before = come_from(town, int(random.choice(town.approach)), lead, random)
        exits = town.successors[before[-1]]
        routes = [make_route(town, wander(town, [*before, way], lead + 150, random)) for way in exits]
        line = make_route(town, before).along[-1]
        if len(exits) == 3 and line > lead and all(route.along[-1] > line + 90 for route in routes):
            break
    wait, pace = random.uniform(0.8, 2.0), random.uniform(0.8, 1.0)
    plans = [Plan(route, line - lead, pace, stop, wait) for route, stop in product(routes, (np.inf, line))]
    place, speed = drive(plans, 2 * history + future + 40)
    chosen = int(random.integers(len(plans)))
    if random.random() < AT_JUNCTION:
        before_line = AMBIGUOUS_FROM + random.uniform(0, 2)
        last = max(int((place[0] < line - before_line).sum()) - 1, history - 1)
        modes = np.stack([plan.route.at(row[last + 1 : last + 1 + future])[0] for plan, row in zip(plans, place)])
    else:
        last = int(random.integers(history - 1, place.shape[1] - future))
        modes = np.empty((0, future, 2))
    window = slice(last + 1 - history, last + 1 + future)
    positions, heading = plans[chosen].route.at(place[chosen, window])
    return (positions, heading, speed[chosen, window]), modes


def _cars(town: Town, centre: NDArray[np.float64], steps: int, random: np.random.Generator) -> list[Motion]:
    rows = random.permutation(_near(town, centre))[: random.integers(*CARS, endpoint=True)]
    plans = []
    for row in rows.tolist():
        route = make_route(town, wander(town, [row], steps * STEP * 12 + 40, random))
        start = random.uniform(0, route.along[len(town.map.centreline(row)) - 1])
        ahead = [line for line in route.lines if line > start + 15]
        stops = bool(ahead) and random.random() < 0.4
        stop = ahead[0] if stops else np.inf
        plans.append(Plan(route, start, random.uniform(0.7, 1.1), stop, random.uniform(1, 5)))
    place, speed = drive(plans, steps)
    return [(*plan.route.at(row), fast) for plan, row, fast in zip(plans, place, speed)]


def _parked(town: Town, centre: NDArray[np.float64], steps: int, random: np.random.Generator) -> Motion:
    position, heading = _beside(town, centre, 0.75 * WIDTH, random).at(np.full(1, 10.0))
    return position.repeat(steps, 0), heading.repeat(steps), np.zeros(steps)


def _walker(town: Town, centre: NDArray[np.float64], steps: int, random: np.random.Generator) -> Motion:
    route = _beside(town, centre, 1.5 * WIDTH, random)
    pace = random.uniform(0.8, 1.6)
    positions, heading = route.at(np.linspace(0, pace * STEP * (steps - 1), steps))
    return positions, heading, np.full(steps, pace)


def _beside(town: Town, centre: NDArray[np.float64], distance: float, random: np.random.Generator) -> Route:
    """A street lane near by, moved to its right by ``distance`` metres."""
    streets = [row for row in _near(town, centre) if not town.junction[row]]
    route = make_route(town, [int(random.choice(streets))])
    _, heading = route.at(route.along)
    right = np.stack([np.sin(heading), -np.cos(heading)], -1)
    return Route(route.points + distance * right, route.along, [], route.speed)


def _near(town: Town, centre: NDArray[np.float64]) -> NDArray[np.int64]:
    return town.map.within(centre, AROUND)


def _apart(cars: list[Motion], least: float = 4.0) -> list[Motion]:
    """The cars without those that would run into an earlier one of the list."""
    kept: list[Motion] = []
    for car in cars:
        if all(np.linalg.norm(car[0] - other[0], axis=-1).min() >= least for other in kept):
            kept.append(car)
    return kept


def _seen(tracks: int, steps: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Target and recording car always; of the others some come late, leave early, or are lost for a moment."""
    valid = np.ones((tracks, steps), dtype=bool)
    for row in valid[2:]:
        chance = random.random()
        if chance < 0.2:
            row[: random.integers(1, steps // 2)] = False
        elif chance < 0.4:
            row[random.integers(steps // 3, steps) :] = False
        elif chance < 0.5:
            row[random.integers(0, steps, steps // 10)] = False
    return valid
