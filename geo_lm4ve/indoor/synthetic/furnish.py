"""Rooms are furnished without regard to what belongs together, so that one thing says nothing about another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from numpy.random import Generator

from geo_lm4ve.geometry.solids.mesh import Mesh
from geo_lm4ve.indoor.synthetic.kinds import KINDS
from geo_lm4ve.indoor.synthetic.palette import COLORS
from geo_lm4ve.indoor.synthetic.plan import Plan, Thing

Corner = Float64[np.ndarray, " 3"]
Place = tuple[Corner, int]
"""Middle of the underside of a thing, and the row of what it stands on; -1 for the floor or a wall."""

TRIES = 60
"""Places that are tried for one thing before the room is furnished anew."""
GROWTH = 1.05
"""By which a room grows then."""
ROOMS = 12
"""Rooms that are tried for the same things; small tables may not hold what would have to stand on them."""
CLEAR = 0.06
"""Least gap between two things [m]."""
BESIDE = 0.5
"""Share of free-standing things that are put beside something."""
ROUND = 0.7
"""Share of the box of a round plate that is plate in both directions."""
FREE_AT_DOOR = 0.9
"""Depth of the floor before the door on which nothing stands [m]."""
AT_WALL, OFF_WALL = 0.01, 0.03
"""Gap between a wall and what hangs on it above the floor, and what reaches down to the floor [m]."""


def furnish(random: Generator) -> Plan:
    """A room with what ``inventory`` draws, all of which finds a place."""
    while True:
        names, form = inventory(random), str(random.choice(list(KINDS["chair"].forms)))
        bodies = [(name, *_body(name, form, random)) for name in names]
        width, depth, height = random.uniform(4.2, 6.0), random.uniform(3.8, 5.2), random.uniform(2.5, 2.8)
        for growth in GROWTH ** np.arange(ROOMS):
            room = _Room((float(growth * width), float(growth * depth), height), random)
            if all(room.put(name, form, mesh) for name, form, mesh in bodies):
                return Plan(room.size, tuple(room.things))


def inventory(random: Generator) -> list[str]:
    """Raw categories in the order of placing; something that holds others is always there."""
    names = [name for name, kind in KINDS.items() for _ in range(int(random.choice(kind.counts)))]
    holders = [name for name, kind in KINDS.items() if kind.holds]
    if not set(holders) & set(names):
        names.append(str(random.choice(holders)))
    order = ("hung", "wall", "free", "top")
    return sorted(names, key=lambda name: (name != "door", order.index(KINDS[name].place)))


def _body(name: str, chair: str, random: Generator) -> tuple[str, Mesh]:
    forms = KINDS[name].forms
    form = chair if name == "chair" else str(random.choice(list(forms)))
    return form, forms[form](random)


def bounds(mesh: Mesh) -> tuple[Corner, Corner]:
    """Lowest and highest corner of a mesh."""
    return mesh.vertices.min(0), mesh.vertices.max(0)


class _Room:
    """A room that is being furnished."""

    def __init__(self, size: tuple[float, float, float], random: Generator) -> None:
        self.size, self.random, self.things = size, random, list[Thing]()
        self.kept_free = list[tuple[Corner, Corner]]()

    def put(self, name: str, form: str, mesh: Mesh) -> bool:
        """Place a thing; False if no place was found."""
        kind, random = KINDS[name], self.random
        low, high = bounds(mesh)
        place = {"wall": self._at_wall, "hung": self._at_wall, "free": self._anywhere, "top": self._on_top}[kind.place]
        for _ in range(TRIES):
            quarters = int(random.integers(4))
            half = ((high - low) / 2)[[1, 0, 2] if quarters % 2 else [0, 1, 2]]
            if (found := place(half, quarters, random.uniform(*kind.height))) is None:
                continue
            bottom, support = found
            box = bottom - half * (1, 1, 0), bottom + half * (1, 1, 2)
            if support >= 0 or self._clear(*box, [(one.low, one.high) for one in self.things] + self.kept_free):
                standing = mesh.moved(*(-(low + high) / 2 * (1, 1, 0)).tolist()).turned("z", 90 * quarters)
                self._add(name, form, standing.moved(*bottom.tolist()), quarters, support)
                return True
        return False

    def _add(self, name: str, form: str, mesh: Mesh, quarters: int, support: int) -> None:
        """Nothing stands on the floor before a door."""
        color, facing = str(self.random.choice(list(COLORS))), _front(quarters)
        thing = Thing(name, color, form, mesh, *bounds(mesh), support, KINDS[name].place == "hung", facing)
        self.things.append(thing)
        if name == "door":
            low, high = (corner + np.append(facing * FREE_AT_DOOR, 0) for corner in bounds(mesh))
            self.kept_free.append((np.minimum(thing.low, low), np.maximum(thing.high, high)))

    def _at_wall(self, half: Corner, quarters: int, height: float) -> Place | None:
        """With its back, which looks away from its front, to the wall there."""
        axis, room = 1 - quarters % 2, np.array(self.size[:2]) / 2 - half[:2]
        along = room[1 - axis] - CLEAR
        if along <= 0:
            return None
        bottom = np.array([0.0, 0.0, height])
        bottom[axis] = -_front(quarters)[axis] * (room[axis] - (AT_WALL if height else OFF_WALL))
        bottom[1 - axis] = self.random.uniform(-along, along)
        return bottom, -1

    def _anywhere(self, half: Corner, quarters: int, height: float) -> Place | None:
        """Beside something that stands already, or anywhere on the floor."""
        room = np.array(self.size[:2]) / 2 - half[:2] - CLEAR
        standing = [thing for thing in self.things if thing.stands]
        if not standing or self.random.random() > BESIDE:
            return np.append(self.random.uniform(-room, room), 0.0), -1
        other = standing[int(self.random.integers(len(standing)))]
        reach = (other.high - other.low)[:2] / 2 + half[:2] + self.random.uniform(CLEAR, 0.3)
        shift, axis = self.random.uniform(-reach, reach), int(self.random.integers(2))
        shift[axis] = self.random.choice((-1, 1)) * reach[axis]
        place = other.center[:2] + shift
        return None if (np.abs(place) > room).any() else (np.append(place, 0.0), -1)

    def _on_top(self, half: Corner, quarters: int, height: float) -> Place | None:
        """On something that holds things, clear of what is there."""
        holders = [row for row, thing in enumerate(self.things) if KINDS[thing.name].holds]
        row = int(self.random.choice(holders))
        other = self.things[row]
        room = (ROUND if other.form == "round" else 1) * (other.high - other.low)[:2] / 2 - half[:2]
        if (room < 0).any():
            return None
        bottom = np.append(other.center[:2] + self.random.uniform(-room, room), other.high[2])
        beside = [(thing.low, thing.high) for thing in self.things if thing.support == row]
        return (bottom, row) if self._clear(bottom - half, bottom + half, beside) else None

    def _clear(self, low: Corner, high: Corner, taken: Sequence[tuple[Corner, Corner]]) -> bool:
        """Whether a box keeps ``CLEAR`` from others."""
        if not taken:
            return True
        lows, highs = (np.array(corners) for corners in zip(*taken))
        return not ((low - CLEAR < highs) & (lows - CLEAR < high)).all(1).any()


def _front(quarters: int) -> Float64[np.ndarray, " 2"]:
    """Where a thing looks after so many quarter turns to the left; to -y before."""
    return np.array([(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)][quarters])
