"""Batches of clouds held in memory; what batch k of an epoch holds depends only on (seed, epoch, k, rank, world)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from geo_lm4ve.data.random import generator
from geo_lm4ve.parts.data import DataError
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


class _PointLoader:
    """What both loaders know: the clouds, the recipe, and this process's place among the others."""

    def __init__(self, clouds: Clouds, recipe: Recipe, *, batch_size: int, seed: int, rank: int, world: int):
        self.clouds, self.recipe = clouds, recipe
        self.batch_size, self.seed, self.rank, self.world = batch_size, seed, rank, world
        self.samples = len(clouds)

    def _batch(self, rows: Tensor, subset: Tensor | slice, affine: Affine | None) -> PointBatch:
        points = self.clouds.points[rows][:, subset]
        return PointBatch(affine(points) if affine else points, self.clouds.labels[rows], rows)


class TrainLoader(_PointLoader):
    """Shuffled, augmented batches; the last incomplete global batch is dropped.

    A global batch (``batch_size * world`` clouds) is drawn as a whole and every process takes its contiguous share:
    two processes see what one with the doubled batch size sees.
    """

    def __init__(self, clouds: Clouds, recipe: Recipe, **place: int):
        super().__init__(clouds, recipe, **place)
        if not len(self):
            raise DataError(
                f"{self.samples} clouds do not fill one batch of {self.batch_size} on each of {self.world} processes; "
                "lower the batch size"
            )

    def __len__(self) -> int:
        """Batches per epoch."""
        return self.samples // (self.batch_size * self.world)

    def batches(self, epoch: int, start: int = 0) -> Iterator[PointBatch]:
        """The batches of an epoch from batch ``start`` on."""
        order = torch.randperm(self.samples, generator=generator(self.seed, epoch, ORDER))
        whole = self.batch_size * self.world
        mine = slice(self.rank * self.batch_size, (self.rank + 1) * self.batch_size)
        for k in range(start, len(self)):
            random = generator(self.seed, epoch, BATCH, k)
            subset = self.recipe.subset(self.clouds.points.shape[1], random)
            affine = self.recipe.augment.draw(whole, random)
            yield self._batch(order[k * whole : (k + 1) * whole][mine], subset, affine[mine])


class EvalLoader(_PointLoader):
    """Every cloud once over all processes, each a contiguous stretch in file order; ``view`` > 0 augments (voting)."""

    def __init__(self, clouds: Clouds, recipe: Recipe, *, view: int = 0, **place: int):
        super().__init__(clouds, recipe, **place)
        self.view = view

    @property
    def _rows(self) -> range:
        return range(self.samples * self.rank // self.world, self.samples * (self.rank + 1) // self.world)

    def __len__(self) -> int:
        """Batches on this process."""
        return -(-len(self._rows) // self.batch_size)

    def batches(self, epoch: int = 0, start: int = 0) -> Iterator[PointBatch]:
        """The batches from ``start`` on; the same in every epoch."""
        subset: Tensor | slice = slice(self.recipe.points)
        affine = None
        if self.view:
            random = generator(self.seed, self.view, VIEW)
            subset = self.recipe.subset(self.clouds.points.shape[1], random)
            affine = self.recipe.augment.draw(self.samples, random)
        rows = torch.tensor(self._rows, dtype=torch.long)
        for k in range(start, len(self)):
            part = rows[k * self.batch_size : (k + 1) * self.batch_size]
            yield self._batch(part, subset, affine[part] if affine else None)
