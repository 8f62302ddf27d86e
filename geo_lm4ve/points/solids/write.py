"""Clouds of generated solids, written in the layout of ModelNet40."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from geo_lm4ve.files import atomic_path, write_text
from geo_lm4ve.geometry.mesh_sampling import sample_surface
from geo_lm4ve.geometry.solids.classes import SOLIDS
from geo_lm4ve.notice import progress
from geo_lm4ve.points.files import NAMES

POINTS = 2048
VERSION = 1
"""Raise it when a solid changes: the same seed then gives other clouds."""


@dataclass(frozen=True)
class SolidsRecipe:
    """What determines the generated files.

    Attributes:
        train, test: clouds per split; classes as even as possible.
        seed: of shapes, points, turns and noise.
        turn: every solid is turned about z by up to so many degrees either way.
        noise: standard deviation of normal noise on every coordinate, in radii of the unit sphere.
        version: of the solids.
    """

    train: int = 1600
    test: int = 400
    seed: int = 0
    turn: float = 15.0
    noise: float = 0.0
    version: int = VERSION


def solid_cloud(name: str, random: np.random.Generator, turn: float = 0.0, noise: float = 0.0) -> np.ndarray:
    """One cloud (2048, 3) float32 of a class, uniform over the surface, on the unit sphere."""
    mesh = SOLIDS[name](random).turned("z", random.uniform(-turn, turn))
    points = sample_surface(mesh.vertices, mesh.faces, POINTS, random).points
    points = points - points.mean(axis=0)
    points /= np.linalg.norm(points, axis=1).max()
    return (points + noise * random.standard_normal(points.shape)).astype(np.float32)


def write_solids(root: Path, recipe: SolidsRecipe) -> None:
    """Generate both splits into ``root``; the place of a class in ``SOLIDS`` is its label."""
    names = list(SOLIDS)
    for number, split in enumerate(("train", "test")):
        labels = np.random.default_rng([recipe.seed, number]).permutation(getattr(recipe, split)) % len(names)
        clouds = [
            solid_cloud(names[label], np.random.default_rng([recipe.seed, number, row]), recipe.turn, recipe.noise)
            for row, label in enumerate(progress(labels.tolist(), f"generating {len(labels)} solids ({split})"))
        ]
        with atomic_path(root / f"ply_data_{split}0.h5") as temporary, h5py.File(temporary, "w") as file:
            file["data"] = np.stack(clouds)
            file["label"] = labels.astype(np.uint8)[:, None]
    write_text(root / NAMES, "\n".join(names) + "\n")
