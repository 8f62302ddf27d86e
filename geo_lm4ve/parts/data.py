"""What a data set must offer to the engine: named splits, and loaders of batches that depend only on (seed, epoch)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

from geo_lm4ve.config import ConfigError, PartConfig
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.loaders import Samples
from geo_lm4ve.data.manifest import data_manifest
from geo_lm4ve.notice import say
from geo_lm4ve.parts.own_files import OwnFiles
from geo_lm4ve.tokens import TokenSet

Self = TypeVar("Self", bound="Batch")


@runtime_checkable
class Batch(Protocol):
    """One batch of samples: a dataclass of tensors that knows its size and can move to a device."""

    def __len__(self) -> int:
        """Number of samples B."""

    def to(self: Self, device: torch.device | str) -> Self:
        """The same batch on another device; what shapes and refusals hang on is settled before it leaves the host."""


@runtime_checkable
class Loader(Protocol):
    """The batches of one split on one process.

    The content of batch k of an epoch depends only on (seed, epoch, k, rank, world), so a resumed run sees what the
    uninterrupted one would have seen.
    """

    samples: int
    """Samples of the split over all processes (each counted once)."""

    def __len__(self) -> int:
        """Batches per epoch on this process."""

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from batch ``start`` on."""


@dataclass(frozen=True)
class DataInfo:
    """What model, task and report need to know about a data set.

    Attributes:
        title: what the data is, said in every report ("ModelNet40 (HDF5, 2048 points)", "synthetic solids", ...).
        classes: class names by label for classification, else ().
        counts: samples per split.
        synthetic: True for generated data.
        benchmark: what the field calls the data, variant included, where results are published of them; else "".
        candidates: labels that a sample can have where these are not all (200 of ImageNet-A's 1,000 classes); else ().
    """

    title: str
    classes: tuple[str, ...]
    counts: dict[str, int]
    synthetic: bool = False
    benchmark: str = ""
    candidates: tuple[int, ...] = ()


class DataSource(ABC):
    """A data set with splits ``train``, ``val`` and ``test`` (val may be carved out of train).

    ``MappedData`` (``parts/mapped.py``) is one for anything with ``__len__`` and ``__getitem__``.
    """

    info: DataInfo

    @abstractmethod
    def loader(
        self, split: str, *, batch_size: int, train: bool, seed: int, rank: int = 0, world: int = 1, view: int = 0
    ) -> Loader:
        """A loader of one split.

        Args:
            split: ``train``, ``val`` or ``test``.
            batch_size: samples per batch on this process.
            train: shuffle, augment and drop the last incomplete global batch; otherwise every sample comes exactly
                once over all processes, in file order, without augmentation.
            seed: the experiment's seed.
            rank: this process.
            world: number of processes.
            view: 0: the plain view of each sample; v > 0: its v-th augmented view, for voting (only with
                ``train=False``; DataError where a data set has no augmentation).
        """

    def exhibit(
        self, folder: Path, records: Sequence[Mapping[str, Any]], split: str, title: str
    ) -> tuple[str, str] | None:
        """Show the samples of some records with what was predicted: pictures in ``folder``, and a part of a page.

        Args:
            folder: for picture files.
            records: of samples of the split (``Task.records``), in ascending order of ``index``.
            split: name of the split.
            title: of the pictures.

        Returns:
            Heading and HTML for ``html_report``, or None where this kind of data has nothing to show.
        """
        return None

    def split(self, split: str) -> Samples[Any]:
        """One split as Samples (``data/loaders.py``), of which any rows make a batch.

        Raises:
            DataError: there is no such split, or this kind of data is read in order alone.
        """
        raise DataError(f"{self.info.title} is read in order, its samples cannot be picked")

    def draw_tokens(
        self,
        path: Path,
        batch: Any,
        tokens: Mapping[str, TokenSet],
        kind: Callable[[Tensor, Tensor], Tensor],
        records: Sequence[Mapping[str, Any]],
        title: str,
    ) -> None:
        """Draw samples with what a number per token says of the places that their tokens stand for.

        Args:
            path: PNG to write.
            batch: of ``split``.
            tokens: heading -> the batch's tokens at one point of the model.
            kind: features (B, N, D) and validity (B, N) -> numbers (B, N) in 0..1.
            records: of the batch (``Task.records``).
            title: of the picture.

        Raises:
            DataError: this kind of data has no such picture.
        """
        raise DataError(f"{self.info.title} has no picture of token activation; leave --activation out")


@dataclass
class DataConfig(PartConfig):
    """Base of the ``data`` group.

    Attributes:
        workers: threads that make batches ahead of their use, for every split that is read; 0: none. They change no
            batch.
        prefetch: batches that each of them may be ahead.
        gives: class of the batches that its loaders make; None: not said, and nothing is refused for it.
    """

    gives: ClassVar[type | None] = None

    workers: int = 0
    prefetch: int = 2

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        if self.workers < 0 or self.prefetch < 1:
            raise ConfigError(
                f"data.workers={self.workers} must be at least 0 and data.prefetch={self.prefetch} at least 1"
            )

    def build(self) -> DataSource:
        """The DataSource; DataError when files are missing or corrupt."""
        raise NotImplementedError

    def look(self) -> None:
        """Look whether ``build`` can begin, without reading, generating or caching a sample.

        Raises:
            DataError: there is no such folder, or what is in it is something else.
        """
        return None

    def splits(self) -> tuple[str, ...]:
        """The splits that the data can have, as far as the config says; the source's ``info.counts`` knows."""
        return ("train", "val", "test")

    def place(self) -> str | None:
        """The folder that the data lies in, absolute; None for data that lies in none."""
        return None

    def stored(self, folder: Path) -> dict[str, int]:
        """Samples per split that lie in ``folder``, as far as that is recorded; reads no sample. {} if unknown."""
        return data_manifest(folder).counts

    def own(self) -> OwnFiles:
        """How files of one's own become samples; DataError if this kind of data cannot be read from single files."""
        raise DataError(f"data={self.name} cannot read single files")

    def read(self, paths: Sequence[Path]) -> Batch:
        """One's own files as a batch, prepared as the test split is; needs no data set on disk.

        Raises:
            DataError: a file cannot be read, or this kind of data cannot be read from single files.
        """
        own = self.own()
        batch: Batch = own.batch([own.sample(Path(path)) for path in paths])
        if remark := own.remark():
            say(remark)
        return batch
