"""ModelNet40: 40 classes of everyday objects, as point clouds sampled from CAD models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geo_lm4ve.config import register
from geo_lm4ve.data.manifest import DataManifest, data_manifest
from geo_lm4ve.invocation import command
from geo_lm4ve.points.augment import Up
from geo_lm4ve.points.modelnet_names import MODELNET40 as NAMES
from geo_lm4ve.points.source import PointCloudConfig

COUNTS = {"train": 9840, "test": 2468}
"""Clouds of the HDF5 release ``modelnet40_ply_hdf5_2048``; the official train split has 9,843 models, 3 more."""


@register("data", "modelnet40")
@dataclass
class ModelNet40Config(PointCloudConfig):
    """ModelNet40 (Wu et al., CVPR 2015), 2,048 points per cloud on the unit sphere, sampled as Point-BERT does.

    ``python tools/prepare.py modelnet40`` fetches it, with ``--from FOLDER`` it makes clouds of meshes that one has.
    """

    name: str = "modelnet40"
    root: str = "datasets/modelnet40/processed"
    up: Up = Up.y

    def title(self, names: Sequence[str]) -> str:
        """ModelNet40 for its own classes; another folder by its name."""
        source = data_manifest(Path(self.root).expanduser()).source or "HDF5 release"
        own = self.benchmark(names)
        return f"{own} ({source}, {self.described})" if own else super().title(names)

    def benchmark(self, names: Sequence[str]) -> str:
        """See PointCloudConfig.benchmark: ModelNet40 has its own classes."""
        return "ModelNet40" if tuple(names) == NAMES else ""

    @property
    def advice(self) -> str:
        """How to get the data."""
        return f"run {command('prepare')} modelnet40, or set data.root to the folder that holds the files"

    def expected_counts(self, names: Sequence[str], manifest: DataManifest) -> dict[str, int]:
        """Of a folder with a manifest what that says, else 9,840 and 2,468 for ModelNet40's own classes."""
        release = tuple(names) == NAMES and not manifest.counts
        return dict(COUNTS) if release else super().expected_counts(names, manifest)
