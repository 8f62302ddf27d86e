"""ModelNet40: 40 classes of everyday objects, as point clouds sampled from CAD models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from geo_lm4ve.config import register
from geo_lm4ve.data.manifest import DataManifest
from geo_lm4ve.invocation import command
from geo_lm4ve.points.source import PointCloudConfig, Up

NAMES = (
    "airplane", "bathtub", "bed", "bench", "bookshelf", "bottle", "bowl", "car", "chair", "cone", "cup", "curtain",
    "desk", "door", "dresser", "flower_pot", "glass_box", "guitar", "keyboard", "lamp", "laptop", "mantel", "monitor",
    "night_stand", "person", "piano", "plant", "radio", "range_hood", "sink", "sofa", "stairs", "stool", "table",
    "tent", "toilet", "tv_stand", "vase", "wardrobe", "xbox",
)  # fmt: skip
"""The classes by label: alphabetical order."""

COUNTS = {"train": 9840, "test": 2468}
"""Clouds of the HDF5 release ``modelnet40_ply_hdf5_2048``; the official train split has 9,843 models, 3 more."""


@register("data", "modelnet40")
@dataclass
class ModelNet40Config(PointCloudConfig):
    """ModelNet40 (Wu et al., CVPR 2015), 2,048 points per cloud on the unit sphere, sampled as Point-BERT does.

    ``python tools/prepare.py modelnet40`` fetches it.
    """

    name: str = "modelnet40"
    root: str = "datasets/modelnet40/processed"
    up: Up = Up.y

    def title(self, names: Sequence[str]) -> str:
        """ModelNet40 for its own classes; another folder by its name."""
        own = f"ModelNet40 (HDF5 release, {self.described})"
        return own if tuple(names) == NAMES else super().title(names)

    @property
    def advice(self) -> str:
        """How to get the data."""
        return f"run {command('prepare')} modelnet40, or set data.root to the folder that holds the files"

    def expected_counts(self, names: Sequence[str], manifest: DataManifest) -> dict[str, int]:
        """9,840 and 2,468 for ModelNet40's own classes; other folders by their manifest."""
        return dict(COUNTS) if tuple(names) == NAMES else super().expected_counts(names, manifest)
