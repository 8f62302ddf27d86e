"""Batches of any kind of samples; what batch k of an epoch holds depends only on (seed, epoch, k, rank, world).

A modality brings its ``Samples``: how many there are, in which order an epoch visits them, and how a batch is made of
some of them. Which samples a process gets, where an epoch goes on and who makes the batches is settled here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Int64
from torch import Tensor

from geo_lm4ve.data.ahead import made_ahead
from geo_lm4ve.data.errors import DataError

Made = TypeVar("Made", covariant=True)

NAMED = 8
"""Rows that an error about a batch names at most."""


@dataclass(frozen=True)
class Draw:
    """Which training batch is drawn: all that its random numbers may depend on.

    Attributes:
        seed: of the experiment.
        epoch: from 0.
        number: k, of the batch in its epoch.
        whole: samples of the global batch, that of all processes.
        share: which of them are this process's.
    """

    seed: int
    epoch: int
    number: int
    whole: int
    share: slice


@runtime_checkable
class Samples(Protocol[Made]):
    """The samples of one split, and how batches are made of them; called by several threads at a time."""

    noun: ClassVar[str]
    """What they are, in messages ("clouds")."""

    def __len__(self) -> int:
        """Number of samples n."""

    def order(self, seed: int, epoch: int) -> Int64[Tensor, " n"]:
        """All rows in the order in which an epoch of training visits them."""

    def train_batch(self, rows: Int64[Tensor, " b"], draw: Draw, /) -> Made:
        """A batch for training; what is random in it is drawn for the global batch, from ``draw`` alone."""

    def batch(self, rows: Int64[Tensor, " b"], /) -> Made:
        """A batch for evaluation: nothing in it is random."""

    def augmented(self, seed: int, view: int) -> Samples[Made]:
        """The same samples in an augmented view (1, 2, ...), for voting; DataError where there is no augmentation."""


class _Loader(Generic[Made]):
    """What both loaders know: the samples, this process's place among the others, and who makes the batches.

    Args:
        of: the samples of the split.
        batch_size: samples per batch on this process.
        seed: the experiment's seed.
        rank: this process.
        world: number of processes.
        view: 0: the plain samples; v > 0: their v-th augmented view (evaluation only).
        workers: threads that make batches ahead of their use; 0: none. They change no batch.
        prefetch: batches that each of them may be ahead.

    Attributes:
        samples: samples of the split over all processes.
    """

    trains: ClassVar[bool]

    def __init__(
        self, of: Samples[Made], *, batch_size: int, seed: int = 0, rank: int = 0, world: int = 1, view: int = 0,
        workers: int = 0, prefetch: int = 2,
    ):  # fmt: skip
        if batch_size < 1 or not 0 <= rank < world or view < 0 or (view and self.trains) or workers < 0 or prefetch < 1:
            raise ValueError(
                "a loader needs batch_size >= 1, 0 <= rank < world, view >= 0 (0 in training), workers >= 0 and "
                f"prefetch >= 1; got {batch_size=}, {rank=}, {world=}, {view=}, {workers=}, {prefetch=}"
            )
        self.of = of.augmented(seed, view) if view else of
        self.samples = len(of)
        self.batch_size, self.seed, self.rank, self.world = batch_size, seed, rank, world
        self.workers, self.prefetch = workers, prefetch

    def _batches(
        self, epoch: int, start: int, rows: Callable[[int], Tensor], make: Callable[[Tensor, int], Made]
    ) -> Iterator[Made]:
        """The batches from ``start`` on: ``make`` of the rows of batch k, and k. An error names its batch."""

        def named(k: int) -> Made:
            chosen = rows(k)
            try:
                return make(chosen, k)
            except Exception as error:
                shown = ", ".join(map(str, chosen[:NAMED].tolist())) + (", ..." if len(chosen) > NAMED else "")
                error.add_note(f"while batch {k} of epoch {epoch} was made, of {self.of.noun} {shown}")
                raise

        return made_ahead(named, range(start, len(self)), workers=self.workers, prefetch=self.prefetch)

    def __len__(self) -> int:
        """Batches per epoch on this process."""
        raise NotImplementedError


class TrainLoader(_Loader[Made]):
    """Shuffled batches; the last incomplete global batch is dropped.

    A global batch (``batch_size * world`` samples) is drawn as a whole and every process takes its contiguous share:
    two processes see what one with the doubled batch size sees.

    Raises:
        DataError: the samples do not fill one global batch.
    """

    trains = True

    def __init__(self, of: Samples[Made], **place: int):
        super().__init__(of, **place)
        self.whole = self.batch_size * self.world
        self.share = slice(self.rank * self.batch_size, (self.rank + 1) * self.batch_size)
        if not len(self):
            raise DataError(
                f"{self.samples} {of.noun} do not fill one batch of {self.batch_size} on each of {self.world} "
                "processes; lower the batch size"
            )

    def __len__(self) -> int:
        """Batches per epoch."""
        return self.samples // self.whole

    def batches(self, epoch: int, start: int = 0) -> Iterator[Made]:
        """The batches of an epoch from batch ``start`` on."""
        order = self.of.order(self.seed, epoch)

        def rows(k: int) -> Tensor:
            return order[k * self.whole : (k + 1) * self.whole][self.share]

        def make(chosen: Tensor, k: int) -> Made:
            return self.of.train_batch(chosen, Draw(self.seed, epoch, k, self.whole, self.share))

        return self._batches(epoch, start, rows, make)


class EvalLoader(_Loader[Made]):
    """Every sample once over all processes, each a contiguous stretch in file order."""

    trains = False

    def __init__(self, of: Samples[Made], **place: int):
        super().__init__(of, **place)
        self.rows = torch.arange(self.samples * self.rank // self.world, self.samples * (self.rank + 1) // self.world)

    def __len__(self) -> int:
        """Batches on this process."""
        return -(-len(self.rows) // self.batch_size)

    def batches(self, epoch: int = 0, start: int = 0) -> Iterator[Made]:
        """The batches from ``start`` on; the same in every epoch."""

        def rows(k: int) -> Tensor:
            return self.rows[k * self.batch_size : (k + 1) * self.batch_size]

        return self._batches(epoch, start, rows, lambda chosen, k: self.of.batch(chosen))


def make_loader(of: Samples[Made], *, train: bool, **place: int) -> TrainLoader[Made] | EvalLoader[Made]:
    """The loader that ``DataSource.loader`` describes; ``place`` is what both loaders take.

    Raises:
        DataError: the samples do not fill one global batch, or have no augmented views.
        ValueError: an argument is out of range.
    """
    return TrainLoader(of, **place) if train else EvalLoader(of, **place)
