"""ModelNet10: ten kinds of furniture and fittings, as point clouds sampled from CAD models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geo_lm4ve.config import register
from geo_lm4ve.data.manifest import data_manifest
from geo_lm4ve.invocation import command
from geo_lm4ve.points.modelnet_names import MODELNET10
from geo_lm4ve.points.source import PointCloudConfig


@register("data", "modelnet10")
@dataclass
class ModelNet10Config(PointCloudConfig):
    """ModelNet10 (Wu et al., CVPR 2015) as clouds on the unit sphere, made of meshes or clouds that one has.

    ``python tools/prepare.py modelnet10 --from FOLDER`` makes them.
    """

    name: str = "modelnet10"
    root: str = "datasets/modelnet10/processed/meshes"

    def title(self, names: Sequence[str]) -> str:
        """ModelNet10 for its own classes; another folder by its name."""
        source = data_manifest(Path(self.root).expanduser()).source
        own = f"ModelNet10 ({source + ', ' if source else ''}{self.described})"
        return own if tuple(names) == MODELNET10 else super().title(names)

    @property
    def advice(self) -> str:
        """How to get the data."""
        return f"run {command('prepare')} modelnet10 --from FOLDER, or set data.root to the folder that holds the files"
