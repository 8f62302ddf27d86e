"""How batches are made of clouds held in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Int, Int64
from torch import Tensor

from geo_lm4ve.data.loaders import Draw
from geo_lm4ve.data.random import generator
from geo_lm4ve.points.augment import Pose, ScaleAndShift, Turn
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.files import Clouds
from geo_lm4ve.points.finish import PLAIN, Finish

ORDER, BATCH, VIEW = 0, 1, 2  # what random numbers are for; a key of their generators


@dataclass(frozen=True)
class Recipe:
    """How a batch is made from stored clouds.

    Attributes:
        points: points of every cloud in a batch.
        shuffle_points: a training batch takes a random subset of the stored points (one choice for all its clouds, as
            Point-BERT does), otherwise their first ones.
        augment: random scale and shift of training batches.
        turn: their random rotation; None: none.
        finish: the last step of all batches.
    """

    points: int
    shuffle_points: bool
    augment: ScaleAndShift
    turn: Turn | None = None
    finish: Finish = PLAIN

    def subset(self, stored: int, random: torch.Generator) -> Int[Tensor, " k"]:
        """Which of the stored points a training batch takes."""
        if not self.shuffle_points:
            return torch.arange(self.points)
        return torch.randperm(stored, generator=random)[: self.points]

    def pose(self, clouds: int, random: torch.Generator) -> Pose:
        """The augmentation of a number of clouds."""
        affine = self.augment.draw(clouds, random)
        return Pose(affine, None if self.turn is None else self.turn.draw(clouds, random))


@dataclass(frozen=True)
class CloudSplit:
    """The clouds of one split as Samples (``data/loaders.py``)."""

    clouds: Clouds
    recipe: Recipe

    noun: ClassVar[str] = "clouds"

    def __len__(self) -> int:
        """Number of clouds."""
        return len(self.clouds)

    def order(self, seed: int, epoch: int) -> Int64[Tensor, " n"]:
        """All clouds of an epoch in random order."""
        return torch.randperm(len(self), generator=generator(seed, epoch, ORDER))

    def train_batch(self, rows: Int64[Tensor, " b"], draw: Draw) -> PointBatch:
        """One random subset of the points for all clouds of the global batch, a pose for each of them."""
        subset, pose = self._drawn(generator(draw.seed, draw.epoch, BATCH, draw.number), draw.whole)
        return self._taken(rows, subset, pose[draw.share])

    def batch(self, rows: Int64[Tensor, " b"]) -> PointBatch:
        """The first points of every cloud as they are stored."""
        return self._taken(rows, slice(self.recipe.points), None)

    def augmented(self, seed: int, view: int) -> CloudView:
        """One subset of the points for all clouds, a pose for each of them."""
        return CloudView(self.clouds, self.recipe, *self._drawn(generator(seed, view, VIEW), len(self)))

    def _drawn(self, random: torch.Generator, clouds: int) -> tuple[Tensor, Pose]:
        return self.recipe.subset(self.clouds.points.shape[1], random), self.recipe.pose(clouds, random)

    def _taken(self, rows: Tensor, subset: Tensor | slice, pose: Pose | None) -> PointBatch:
        clouds, finish = self.clouds, self.recipe.finish
        stored = None if clouds.features is None else clouds.features[rows][:, subset]
        points, features = finish(clouds.points[rows][:, subset], stored, pose)
        return PointBatch(points, clouds.labels[rows], rows, features=features, feature_names=finish.kinds)


@dataclass(frozen=True)
class CloudView(CloudSplit):
    """One augmented view of the clouds, for voting.

    Attributes:
        subset: (k,) the points that every cloud shows.
        pose: of every cloud.
    """

    subset: Int64[Tensor, " k"]
    pose: Pose

    def batch(self, rows: Int64[Tensor, " b"]) -> PointBatch:
        """Some clouds in this view."""
        return self._taken(rows, self.subset, self.pose[rows])
