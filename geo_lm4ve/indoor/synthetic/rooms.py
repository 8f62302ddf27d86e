"""Rooms with questions, each a function of the recipe and its number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo_lm4ve.indoor.synthetic.asked import Asked
from geo_lm4ve.indoor.synthetic.furnish import furnish
from geo_lm4ve.indoor.synthetic.plan import Plan
from geo_lm4ve.indoor.synthetic.room_questions import ask_room
from geo_lm4ve.indoor.synthetic.scan import Scan, scan
from geo_lm4ve.indoor.synthetic.situated_questions import ask_from
from geo_lm4ve.indoor.synthetic.situation import Situation, situate

VERSION = 1
"""Raise it when rooms or questions change: the same seed then gives others."""
PER_SITUATION = 3
"""Questions asked from one place."""
FIRST = {"train": 9, "val": 8, "test": 7}
"""Split -> first digit of the names of its scans; ScanNet's own begin with 0."""
MOST = 100_000
"""Scans of a split that there are names for."""


@dataclass(frozen=True)
class RoomsRecipe:
    """What determines the generated files.

    Attributes:
        train, val, test: rooms per split; a room does not depend on how many there are.
        seed: of rooms and questions.
        vertices: of a scan, at most.
        questions: about a room as a whole (ScanQA), and as many from places in it (SQA3D); at most.
        version: of the generator.
    """

    train: int = 300
    val: int = 60
    test: int = 60
    seed: int = 0
    vertices: int = 8000
    questions: int = 12
    version: int = VERSION

    @property
    def counts(self) -> dict[str, int]:
        """Rooms of each split."""
        return {"train": self.train, "val": self.val, "test": self.test}


@dataclass(frozen=True)
class Made:
    """One room with questions.

    Attributes:
        name: of its scan.
        plan: the room.
        asked: questions about it as a whole.
        situated: questions from places in it.
    """

    name: str
    plan: Plan
    asked: list[Asked]
    situated: list[tuple[Situation, Asked]]


def scan_name(split: str, number: int) -> str:
    """Name of a scan: ``scene9000_00`` is the first one to train on."""
    return f"scene{FIRST[split]}{number % 1000:03d}_{number // 1000:02d}"


def make_room(recipe: RoomsRecipe, split: str, number: int) -> Made:
    """One room; it depends on the recipe's seed and questions, and on its number in the split."""
    plan = furnish(_random(recipe, split, number, 0))
    asked = ask_room(plan, recipe.questions, _random(recipe, split, number, 1))
    situated, random = list[tuple[Situation, Asked]](), _random(recipe, split, number, 2)
    for start in range(0, recipe.questions, PER_SITUATION):
        if (situation := situate(plan, random)) is not None:
            count = min(PER_SITUATION, recipe.questions - start)
            situated += [(situation, one) for one in ask_from(situation, count, random)]
    return Made(scan_name(split, number), plan, asked, situated)


def scan_room(recipe: RoomsRecipe, split: str, number: int, plan: Plan) -> Scan:
    """The scan of the room of that number."""
    return scan(plan, recipe.vertices, _random(recipe, split, number, 3))


def _random(recipe: RoomsRecipe, split: str, number: int, part: int) -> np.random.Generator:
    return np.random.default_rng([recipe.seed, FIRST[split], number, part])
