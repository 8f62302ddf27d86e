"""How batches are made of scenes streamed from shards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NoReturn

import torch
from jaxtyping import Int64
from torch import Tensor

from geo_lm4ve.data.loaders import Draw
from geo_lm4ve.data.random import generator
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.batch import SceneBatch, join_batches
from geo_lm4ve.traffic.cache.shards import Shards
from geo_lm4ve.traffic.view.assembly import assemble
from geo_lm4ve.traffic.view.conventions import SceneView

ORDER, WINDOWS = 0, 1  # what random numbers are for; a key of their generators

WINDOW = 8
"""Scenes are shuffled within so many shards, drawn at random anew every epoch and held in memory together."""


@dataclass(frozen=True)
class SceneSplit:
    """The scenes of one split as Samples (``data/loaders.py``).

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

    noun: ClassVar[str] = "scenes"

    def __len__(self) -> int:
        """Number of scenes."""
        return len(self.rows)

    @property
    def starts(self) -> Int64[Tensor, " k"]:
        """Place of each shard's first scene."""
        sizes = torch.tensor(self.shards.sizes)
        return sizes.cumsum(0) - sizes

    def shard(self, index: Int64[Tensor, " s"]) -> Int64[Tensor, " s"]:
        """The shard of each scene."""
        return torch.searchsorted(self.starts, self.rows[index], right=True) - 1

    def windows(self, seed: int, epoch: int) -> Int64[Tensor, " k"]:
        """The window of each shard in an epoch: windows come one after the other, scenes within one in any order."""
        random = generator(seed, epoch, WINDOWS)
        return torch.randperm(len(self.shards.sizes), generator=random) // WINDOW

    def order(self, seed: int, epoch: int) -> Int64[Tensor, " n"]:
        """All scenes of an epoch in random order, window by window."""
        random = generator(seed, epoch, ORDER)
        window = self.windows(seed, epoch)[self.shard(torch.arange(len(self)))]
        return (window + torch.rand(len(self), generator=random, dtype=torch.float64)).argsort()

    def train_batch(self, rows: Int64[Tensor, " s"], draw: Draw) -> SceneBatch:
        """Some scenes of an epoch, each window of shards read once; nothing else of a scene is random."""
        return self.batch(rows.sort().values, self.windows(draw.seed, draw.epoch))

    def augmented(self, seed: int, view: int) -> NoReturn:
        """Scenes have no augmented views: DataError."""
        raise DataError("traffic scenes have no augmented views to vote over: set task.votes=0")

    def batch(self, index: Int64[Tensor, " s"], windows: Int64[Tensor, " k"] | None = None) -> SceneBatch:
        """Some scenes of the split, window by window.

        Args:
            index: which.
            windows: shards to read together have the same number; by default each is read by itself.
        """
        windows = torch.arange(len(self.shards.sizes)) if windows is None else windows
        shard = self.shard(index)
        return join_batches([self._part(index, shard, windows, number) for number in windows[shard].unique().tolist()])

    def _part(self, index: Tensor, shard: Tensor, windows: Tensor, number: int) -> SceneBatch:
        """The scenes of one window."""
        together = (windows == number).nonzero()[:, 0]
        sizes = torch.tensor(self.shards.sizes)[together]
        first = torch.zeros_like(windows)
        first[together] = sizes.cumsum(0) - sizes
        mine = windows[shard] == number
        local = (self.rows[index] - self.starts[shard] + first[shard])[mine]
        return assemble(self.shards.pack(*together.tolist()), local, index[mine], self.view, self.future)
