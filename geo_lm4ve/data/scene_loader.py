"""Batches of scenes streamed from shards.

What batch k of an epoch holds depends only on (seed, epoch, k, rank, world).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from geo_lm4ve.data.base import DataError
from geo_lm4ve.data.scene_assembly import assemble
from geo_lm4ve.data.scene_cache import Shards
from geo_lm4ve.data.scene_frames import SceneView
from geo_lm4ve.data.scenes import SceneBatch, join
from geo_lm4ve.data.transforms import generator

ORDER = 0  # what random numbers are for; a key of their generators

WINDOW = 8
"""Scenes are shuffled within so many shards, drawn at random anew every epoch: so many must be in memory at once."""


@dataclass(frozen=True)
class SceneSplit:
    """The scenes of one split.

    Attributes:
        shards: where they are.
        rows: (N,) their places in the shards one after the other, ascending; place i of a batch's ``index`` is rows[i].
        view: how they are shown.
        future: steps F.
    """

    shards: Shards
    rows: Int64[Tensor, " n"]
    view: SceneView
    future: int

    def __len__(self) -> int:
        """Number of scenes."""
        return len(self.rows)

    @property
    def starts(self) -> Int64[Tensor, " k"]:
        """Place of each shard's first scene."""
        sizes = torch.tensor(self.shards.sizes)
        return sizes.cumsum(0) - sizes

    def batch(self, index: Int64[Tensor, " s"]) -> SceneBatch:
        """Some scenes of the split, by ascending index."""
        places = self.rows[index]
        starts = self.starts
        shard = torch.searchsorted(starts, places, right=True) - 1
        parts = []
        for number in shard.unique_consecutive().tolist():
            mine = shard == number
            local = places[mine] - starts[number]
            parts.append(assemble(self.shards.pack(number), local, index[mine], self.view, self.future))
        return join(parts)

    def order(self, seed: int, epoch: int) -> Int64[Tensor, " n"]:
        """A random order that leaves one window of shards only when all its scenes have come."""
        random = generator(seed, epoch, ORDER)
        window = torch.randperm(len(self.shards.sizes), generator=random) // WINDOW
        shard = torch.searchsorted(self.starts, self.rows, right=True) - 1
        place = window[shard] + torch.rand(len(self), generator=random, dtype=torch.float64)
        return place.argsort()


class TrainLoader:
    """Shuffled batches; the last incomplete global batch is dropped.

    A global batch (``batch_size * world`` scenes) is drawn as a whole and every process takes its contiguous share.
    """

    def __init__(self, split: SceneSplit, *, batch_size: int, seed: int, rank: int, world: int):
        self.split, self.batch_size, self.seed, self.rank, self.world = split, batch_size, seed, rank, world
        self.samples = len(split)
        if not len(self):
            raise DataError(
                f"{self.samples} scenes do not fill one batch of {batch_size} on each of {world} processes; "
                "lower the batch size"
            )

    def __len__(self) -> int:
        """Batches per epoch."""
        return self.samples // (self.batch_size * self.world)

    def batches(self, epoch: int, start: int = 0) -> Iterator[SceneBatch]:
        """The batches of an epoch from batch ``start`` on."""
        order = self.split.order(self.seed, epoch)
        for k in range(start, len(self)):
            first = (k * self.world + self.rank) * self.batch_size
            yield self.split.batch(order[first : first + self.batch_size].sort().values)


class EvalLoader:
    """Every scene once over all processes, each a contiguous stretch in file order."""

    def __init__(self, split: SceneSplit, *, batch_size: int, rank: int, world: int):
        self.split, self.batch_size, self.samples = split, batch_size, len(split)
        self.rows = torch.arange(self.samples * rank // world, self.samples * (rank + 1) // world)

    def __len__(self) -> int:
        """Batches on this process."""
        return -(-len(self.rows) // self.batch_size)

    def batches(self, epoch: int = 0, start: int = 0) -> Iterator[SceneBatch]:
        """The batches from ``start`` on; the same in every epoch."""
        for k in range(start, len(self)):
            yield self.split.batch(self.rows[k * self.batch_size : (k + 1) * self.batch_size])
