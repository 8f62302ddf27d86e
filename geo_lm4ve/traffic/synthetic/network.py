"""A made-up town: a jittered grid of two-way streets with junctions, as lanes with links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from geo_lm4ve.traffic.batch import Turn
from geo_lm4ve.traffic.records.vector_map import Lane, VectorMap

GRID = 5
SPACING = 90.0
JITTER = 7.0
SETBACK = 13.0
WIDTH = 3.8
"""Junctions per side; metres between them, of their random displacement, from a junction's centre to its stop lines,
and of a lane."""

POINTS = 10
STREET_SPEED, JUNCTION_SPEED = 12.0, 7.5
"""Metres per second on streets, and at stop lines and in junctions."""

Node = tuple[int, int]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Town:
    """Lanes with what drivers need to know.

    Attributes:
        map: the lanes.
        successors: rows that follow each lane.
        predecessors: rows that lead to each lane.
        approach: rows of the lanes that end at a stop line.
    """

    map: VectorMap
    successors: list[list[int]]
    predecessors: list[list[int]]
    approach: list[int]

    @property
    def junction(self) -> NDArray[np.bool_]:
        """(L,) which lanes lie in a junction."""
        return self.map.attributes[:, 1] == 1


@dataclass
class _Draft:
    """A lane while the town is built."""

    points: Points
    turn: Turn = Turn.none
    intersection: bool = False
    control: bool = False


def build_town(random: np.random.Generator) -> Town:
    """A town of 5 x 5 junctions; every second street across has two lanes each way."""
    angle, shift = random.uniform(0, np.pi / 2), random.uniform(1000, 3000, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    place = {
        (i, j): turn @ (SPACING * np.array([i, j]) + random.uniform(-JITTER, JITTER, 2)) + shift
        for i, j in product(range(GRID), repeat=2)
    }
    bulge = {street: random.uniform(-3, 3) for street in _streets() if street[0] < street[1]}
    controlled = {node: bool(random.random() < 0.7) for node in place}
    drafts: list[_Draft] = []
    links: dict[str, dict[int, list[int]]] = {name: {} for name in ("successor", "predecessor", "left", "right")}
    ends: dict[tuple[Node, Node], list[tuple[int, int]]] = {}

    def link(name: str, source: int, target: int) -> None:
        links[name].setdefault(source, []).append(target)

    def follow(source: int, target: int) -> None:
        link("successor", source, target)
        link("predecessor", target, source)

    for a, b in _streets():
        amplitude = bulge[a, b] if a < b else -bulge[b, a]
        for number in range(_lanes(a, b)):
            first, second = _street_lane(place[a], place[b], number, amplitude)
            row = len(drafts)
            drafts += [_Draft(first), _Draft(second)]
            follow(row, row + 1)
            ends.setdefault((a, b), []).append((row, row + 1))
            if number:
                for piece in (row, row + 1):
                    link("left", piece, piece - 2)
                    link("right", piece - 2, piece)
    for (a, b), (c, d) in product(ends, repeat=2):
        if b != c or a == d:
            continue
        direction = _turn(place[b] - place[a], place[d] - place[c])
        for source, target in _connected(ends[a, b], ends[c, d], direction):
            row = len(drafts)
            curve = _connector(drafts[source].points, drafts[target].points)
            drafts.append(_Draft(curve, direction, intersection=True, control=controlled[b]))
            follow(source, row)
            follow(row, target)
    lanes = [
        Lane(
            9_000_000 + row, draft.points, draft.turn, draft.intersection, draft.control,
            links={name: [9_000_000 + other for other in of.get(row, ())] for name, of in links.items()},
        )
        for row, draft in enumerate(drafts)
    ]  # fmt: skip
    rows = range(len(drafts))
    approach = [stop for pair in ends.values() for _, stop in pair if stop in links["successor"]]
    return Town(
        VectorMap.of(lanes, "the synthetic town"),
        [links["successor"].get(row, []) for row in rows],
        [links["predecessor"].get(row, []) for row in rows],
        approach,
    )


def _streets() -> Iterator[tuple[Node, Node]]:
    for i, j in product(range(GRID), repeat=2):
        for di, dj in ((1, 0), (0, 1), (-1, 0), (0, -1)):
            if 0 <= i + di < GRID and 0 <= j + dj < GRID:
                yield (i, j), (i + di, j + dj)


def _lanes(a: Node, b: Node) -> int:
    return 2 if a[1] == b[1] and a[1] % 2 else 1


def _street_lane(start: Points, end: Points, number: int, bulge: float) -> tuple[Points, Points]:
    """Both halves of lane ``number`` (0: next to the middle of the road) of the street from one node to another."""
    along = (end - start) / np.linalg.norm(end - start)
    left = np.array([-along[1], along[0]])
    length = np.linalg.norm(end - start) - 2 * SETBACK
    share = np.linspace(0, 1, 2 * POINTS - 1)[:, None]
    points = start + along * (SETBACK + share * length) + left * (bulge * np.sin(np.pi * share) ** 2)
    points -= left * (number + 0.5) * WIDTH
    return points[:POINTS], points[POINTS - 1 :]


def _turn(before: Points, after: Points) -> Turn:
    angle = np.arctan2(before[0] * after[1] - before[1] * after[0], before @ after)
    if abs(angle) < np.pi / 6:
        return Turn.none
    return Turn.left if angle > 0 else Turn.right


def _connected(
    arriving: list[tuple[int, int]], leaving: list[tuple[int, int]], turn: Turn
) -> Iterator[tuple[int, int]]:
    """Last and first pieces to connect: left turns keep to the inner lanes, right turns to the outer ones."""
    if turn is Turn.left:
        yield arriving[0][1], leaving[0][0]
    elif turn is Turn.right:
        yield arriving[-1][1], leaving[-1][0]
    else:
        for number, (_, stop) in enumerate(arriving):
            yield stop, leaving[min(number, len(leaving) - 1)][0]


def _connector(before: Points, after: Points) -> Points:
    """A cubic Hermite curve through a junction."""
    start, end = before[-1], after[0]
    distance = np.linalg.norm(end - start)
    leave = (before[-1] - before[-2]) / np.linalg.norm(before[-1] - before[-2]) * distance
    arrive = (after[1] - after[0]) / np.linalg.norm(after[1] - after[0]) * distance
    t = np.linspace(0, 1, POINTS)[:, None]
    return (
        (2 * t**3 - 3 * t**2 + 1) * start + (t**3 - 2 * t**2 + t) * leave
        + (3 * t**2 - 2 * t**3) * end + (t**3 - t**2) * arrive
    )  # fmt: skip
