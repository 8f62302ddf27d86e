"""How batches are made of clouds held in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Int, Int64
from torch import Tensor

from geo_lm4ve.data.loaders import Draw
from geo_lm4ve.data.random import generator
from geo_lm4ve.points.augment import Affine, ScaleAndShift
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.files import Clouds

ORDER, BATCH, VIEW = 0, 1, 2  # what random numbers are for; a key of their generators


@dataclass(frozen=True)
class Recipe:
    """How a batch is made from stored clouds.

    Attributes:
        points: points of every cloud in a batch.
        shuffle_points: a training batch takes a random subset of the stored points (one choice for all its clouds, as
            Point-BERT does), otherwise their first ones.
        augment: random scale and shift of training batches.
    """

    points: int
    shuffle_points: bool
    augment: ScaleAndShift

    def subset(self, stored: int, random: torch.Generator) -> Int[Tensor, " k"]:
        """Which of the stored points a training batch takes."""
        if not self.shuffle_points:
            return torch.arange(self.points)
        return torch.randperm(stored, generator=random)[: self.points]


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
        """One random subset of the points for all clouds of the global batch, a scale and a shift for each of them."""
        subset, affine = self._drawn(generator(draw.seed, draw.epoch, BATCH, draw.number), draw.whole)
        return self._taken(rows, subset, affine[draw.share])

    def batch(self, rows: Int64[Tensor, " b"]) -> PointBatch:
        """The first points of every cloud as they are stored."""
        return self._taken(rows, slice(self.recipe.points), None)

    def augmented(self, seed: int, view: int) -> CloudView:
        """One subset of the points for all clouds, a scale and a shift for each of them."""
        return CloudView(self.clouds, self.recipe, *self._drawn(generator(seed, view, VIEW), len(self)))

    def _drawn(self, random: torch.Generator, clouds: int) -> tuple[Tensor, Affine]:
        return self.recipe.subset(self.clouds.points.shape[1], random), self.recipe.augment.draw(clouds, random)

    def _taken(self, rows: Tensor, subset: Tensor | slice, affine: Affine | None) -> PointBatch:
        points = self.clouds.points[rows][:, subset]
        return PointBatch(affine(points) if affine else points, self.clouds.labels[rows], rows)


@dataclass(frozen=True)
class CloudView(CloudSplit):
    """One augmented view of the clouds, for voting.

    Attributes:
        subset: (k,) the points that every cloud shows.
        affine: scale and shift of every cloud.
    """

    subset: Int64[Tensor, " k"]
    affine: Affine

    def batch(self, rows: Int64[Tensor, " b"]) -> PointBatch:
        """Some clouds in this view."""
        return self._taken(rows, self.subset, self.affine[rows])
