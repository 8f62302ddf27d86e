"""Scans of one's own, meshes or points in any format, as rooms that questions are asked about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.found import Found, find
from geo_lm4ve.geometry.meshes import SUFFIXES, Cloud, PointsError, read_points
from geo_lm4ve.indoor.augment import RoomAugment
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.room import Room
from geo_lm4ve.indoor.scannet.scan import LEAST, POINTS
from geo_lm4ve.indoor.shown import RoomRecipe
from geo_lm4ve.parts.own_files import OwnFiles

GRAY = 128
"""Red, green and blue of points whose colour nobody knows, in pictures."""
SMALL, LARGE = 1.0, 100.0
"""Metres across; what is smaller or larger is hardly a room."""


@dataclass
class OwnScans(OwnFiles):
    """See OwnFiles: a sample is a Room without objects, a batch has all questions about each of its rooms.

    Attributes:
        recipe: how rooms are shown.
        mean_sizes: (18, 3) [m], of the training data.
        situated: questions begin with a situation.
        asked: (situation, question) of what is asked about every scan; "" where no situation is read.
        keep: places of scans that stay in ``kept`` when they were read.
        kept: those, by their places.
        sizes: of scans that are hardly rooms in metres, by name.
    """

    recipe: RoomRecipe
    mean_sizes: Float[torch.Tensor, "18 3"]
    situated: bool
    asked: Sequence[tuple[str, str]] = ()
    keep: frozenset[Path] = frozenset()
    kept: dict[str, Room] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)

    def find(self, given: Sequence[Path]) -> Found:
        """Meshes and point files, those of folders by their suffixes."""
        return find(given, SUFFIXES)

    def sample(self, path: Path) -> Room:
        """A scan in its own frame, which has z up, in metres; the axis alignment of ScanNet's ``.txt`` is not read."""
        wanted = [kind for kind in self.recipe.features if kind != "height"]
        try:
            cloud = read_points(path, at_least=LEAST, mesh_points=POINTS, kinds=["normal", "color"])
        except PointsError as error:
            raise DataError(str(error)) from error
        held = {"color": cloud.colors, "normal": cloud.normals}
        for kind in wanted:
            if held.get(kind) is None:
                raise DataError(
                    f"{path} has no {kind} of its points, which this run was trained with: give a .ply whose vertices "
                    "have it, or a run without it"
                )
        room = _room(str(path), cloud)
        across = float(np.linalg.norm(np.ptp(room.points, axis=0)))
        if not SMALL <= across <= LARGE:
            self.sizes[path.name] = across
        if path in self.keep:
            self.kept[str(path)] = room
        return room

    def batch(self, samples: Sequence[Room]) -> RoomBatch:
        """Every question about every scan, scan after scan; nobody knows objects or answers."""
        shown = [self.recipe.show(room, None) for room in samples]
        features = torch.stack([one.features for one in shown]) if self.recipe.features else None
        situations, questions = (tuple(one[part] for one in self.asked) for part in (0, 1))
        count = len(samples)
        return RoomBatch(
            torch.stack([one.points for one in shown]),
            features,
            self.recipe.features,
            tuple(row for row in range(count) for _ in questions),
            questions * count,
            torch.arange(count * len(questions)),
            self.mean_sizes,
            situations=situations * count if self.situated else None,
            scans=tuple(room.name for room in samples),
        )

    def remark(self) -> str:
        """Which scans are no rooms in metres."""
        if not self.sizes:
            return ""
        named = ", ".join(f"{name} ({across:.3g} m)" for name, across in self.sizes.items())
        return f"far from the size of a room, if these are metres: {named}; scans have z up and are in metres"


def situation_of(text: str) -> tuple[str, str]:
    """Situation and question of a text like "I am sitting on the bed. What is on my left?": its last sentence asks.

    Raises:
        DataError: it has one sentence.
    """
    *situation, question = re.split(r"(?<=[.!;])\s+", text.strip())
    if not situation:
        raise DataError(
            f"{text!r} says no situation, which this run was trained with: ask like 'I am sitting on the bed. What is "
            "on my left?'"
        )
    return " ".join(situation), question


def recipe_of(points: int, features: Sequence[str]) -> RoomRecipe:
    """How rooms are shown, without anything random."""
    return RoomRecipe(points, tuple(features), RoomAugment(0.0, 0.0, 0.0))


def _room(name: str, cloud: Cloud) -> Room:
    """A cloud as a room, its points in an order that says nothing: batches take the first ones."""
    count = len(cloud.points)
    rows = np.random.default_rng(0).permutation(count)[:POINTS]
    points = cloud.points.numpy()[rows]
    colors = np.full((count, 3), GRAY) if cloud.colors is None else np.rint(cloud.colors.numpy() * 255)
    normals = np.zeros((count, 3)) if cloud.normals is None else cloud.normals.numpy()
    none = np.empty(0, np.int64)
    low, high = points.min(0).astype(np.float64), points.max(0).astype(np.float64)
    return Room(
        name,
        points.astype(np.float32),
        colors[rows].astype(np.uint8),
        normals[rows].astype(np.float32),
        np.full(len(rows), -1, np.int32),
        np.empty((0, 6), np.float32),
        none,
        none,
        none,
        (),
        np.eye(4),
        (low + high) / 2,
    )
