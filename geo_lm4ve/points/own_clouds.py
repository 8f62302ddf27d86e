"""Mesh and point files of one's own as samples of a model of clouds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from geo_lm4ve.data.found import Found, find
from geo_lm4ve.geometry import kernels
from geo_lm4ve.geometry.meshes import SUFFIXES, PointsError, read_points
from geo_lm4ve.geometry.normalize import normalize_unit_sphere
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.parts.own_files import OwnFiles
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.features import in_files
from geo_lm4ve.points.finish import PLAIN, Finish
from geo_lm4ve.points.placing import foreign, reach
from geo_lm4ve.points.stored import own_features

MESH = 2048
"""Points that are sampled from a mesh, unless a batch takes more: as many as the releases of ModelNet40 have."""


@dataclass(frozen=True)
class OwnCloud:
    """A cloud (points, 3), what its file is called, and features (points, c) that its file holds, if any."""

    points: Float[Tensor, "p 3"]
    name: str
    features: Float[Tensor, "p c"] | None = None


@dataclass
class OwnClouds(OwnFiles):
    """See OwnFiles.

    Attributes:
        points: points per cloud.
        normalize: centre every cloud and scale it to the unit sphere.
        farthest: take the farthest points; False: the first ones.
        finish: the last step of batches.
        reaches: of the clouds read so far, where they are left in their place.
    """

    points: int
    normalize: bool
    farthest: bool
    finish: Finish = PLAIN
    reaches: dict[str, Tensor] = field(default_factory=dict)

    def find(self, given: Sequence[Path]) -> Found:
        """Meshes and point files, those of folders by their suffixes."""
        return find(given, SUFFIXES)

    def sample(self, path: Path) -> OwnCloud:
        """The cloud in a file, normalised and sampled as the test split is."""
        kinds = in_files(self.finish.kinds)
        try:
            cloud = read_points(path, at_least=self.points, mesh_points=max(MESH, self.points), kinds=kinds)
        except PointsError as error:
            raise DataError(str(error)) from error
        points, features = cloud.points, own_features(path, cloud, kinds)
        if self.normalize:
            points = normalize_unit_sphere(points)
        elif not self.finish.normalize:
            self.reaches[path.name] = reach(points[None])
        chosen = self._chosen(points)
        return OwnCloud(points[chosen], path.name, None if features is None else features[chosen])

    def _chosen(self, points: Float[Tensor, "n 3"]) -> Int[Tensor, " p"] | slice:
        if self.farthest:
            with kernels.reference():  # as fps_order: another kernel may break ties differently
                return farthest_point_sample(points[None], self.points)[0]
        return slice(self.points)

    def batch(self, samples: Sequence[OwnCloud]) -> PointBatch:
        """The clouds; nobody knows their labels."""
        held = [sample.features for sample in samples if sample.features is not None]
        stacked = torch.stack([sample.points for sample in samples])
        points, features = self.finish(stacked, torch.stack(held) if held else None)
        names, labels = tuple(sample.name for sample in samples), torch.full((len(samples),), -1)
        index, kinds = torch.arange(len(samples)), self.finish.kinds
        return PointBatch(points, labels, index, names, features=features, feature_names=kinds)

    def remark(self) -> str:
        """Which clouds are far from the unit sphere."""
        return foreign(
            self.reaches, "unless the model was trained on such clouds, predict again with data.normalize=true"
        )
