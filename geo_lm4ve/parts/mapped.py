"""Anybody's map-style data sets as a data source: the road for ``torch.utils.data.Dataset`` and what looks like one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from geo_lm4ve.config import ConfigError
from geo_lm4ve.data.items import Augment, Collate, ItemSplit, count
from geo_lm4ve.data.loaders import make_loader
from geo_lm4ve.data.split import hold_out
from geo_lm4ve.parts.data import Batch, DataConfig, DataError, DataInfo, DataSource, Loader

SPLITS = ("train", "val", "test")

Exhibit = Callable[[Path, Sequence[Mapping[str, Any]], DataSource, str, str], tuple[str, str]]
"""Folder, records, data, split, title -> what ``DataSource.exhibit`` returns."""


class MappedData(DataSource):
    """Data sets with ``__len__`` and ``__getitem__``, one per split; seeded order and exact resume.

    An item is what ``collate`` understands; a batch is what the encoder and the task understand, with ``index``, the
    rows. ``task=classify`` also reads its ``labels``, int64 from 0. The point-cloud encoders take what
    ``points.items.collate_clouds`` makes of (points (N, 3), label) or of a mapping with those two keys. Any other
    encoder comes with a collate of its own. Traffic scenes have another road, ``traffic/layout.py``.

    Randomness that is to be drawn again when a run goes on belongs into ``augment``: the generator that it is given
    depends on (seed, epoch, row) alone. A ``__getitem__`` that draws from the global generators of ``torch``, ``numpy``
    or ``random`` is drawn again as well, since these are seeded for every sample and put back after it; but they
    belong to all threads, so it is refused with ``data.workers`` above 0. A generator that the data set keeps for
    itself knows nothing of that: leave it out.

    Args:
        config: what is being built: ``workers`` and ``prefetch`` are its. The workers are threads, so a data set
            opens its files anew for every sample, or reads them in a way that threads may share.
        title: what the data is, in every report.
        splits: ``train``, ``val`` and ``test``, or some of them, each a data set.
        collate: items and their rows -> Batch.
        classes: names by label, for classification.
        augment: item and generator -> item, for training batches and for votes; None: nothing is random.
        val_fraction: above 0, with no ``val`` of its own: part of train held out as ``val``, the same for every seed.
        labels: class of every row of ``train``, so that this part is taken of each class (torchvision's ``targets``);
            None: rows are taken whatever their class.
        exhibit: how pages show samples, e.g. ``points.viz.exhibit.exhibit`` for clouds; None: not at all.
        synthetic: the samples are generated.

    Raises:
        DataError: a split is no map-style data set, or empty, or labels are not those of train.
        ConfigError: unknown names of splits, or no way to carve.
    """

    def __init__(
        self,
        config: DataConfig,
        title: str,
        splits: Mapping[str, Any],
        collate: Collate[Batch],
        *,
        classes: Sequence[str] = (),
        augment: Augment | None = None,
        val_fraction: float = 0.0,
        labels: Any = None,
        exhibit: Exhibit | None = None,
        synthetic: bool = False,
    ):
        if not splits or (odd := sorted(set(splits) - set(SPLITS))):
            found = f"they are called {', '.join(odd)}" if splits else "there is none"
            raise ConfigError(f"{title}: splits maps {', '.join(SPLITS)}, or some of them, to data sets; {found}")
        self.config, self._exhibit = config, exhibit
        lengths = {split: count(splits[split], f"{title}, split {split}") for split in SPLITS if split in splits}
        rows = {split: (split, torch.arange(length)) for split, length in lengths.items()}
        if val_fraction:
            train, val = _carved(title, lengths, val_fraction, labels)
            rows |= {"train": ("train", train), "val": ("train", val)}
        self.splits = {
            split: ItemSplit(
                splits[own], f"{title}, split {split}", chosen, lengths[own], collate, tuple(classes), augment,
                shared=config.workers > 0,
            )
            for split, (own, chosen) in rows.items()
        }  # fmt: skip
        self._checked: set[str] = set()
        counts = {split: len(self.splits[split]) for split in SPLITS if split in rows}
        self.info = DataInfo(title, tuple(classes), counts, synthetic)

    def loader(
        self, split: str, *, batch_size: int, train: bool, seed: int, rank: int = 0, world: int = 1, view: int = 0
    ) -> Loader:
        """See DataSource.loader."""
        if split not in self.splits:
            raise DataError(
                f"{self.info.title} has no split {split!r}, only {', '.join(self.splits)}: give MappedData one, or a "
                "val_fraction that carves val out of train"
            )
        samples = self.splits[split]
        samples.check_length()
        if samples.shared and split not in self._checked:
            samples.check_threads()
            self._checked.add(split)
        return make_loader(
            samples, train=train, batch_size=batch_size, seed=seed, rank=rank, world=world, view=view,
            workers=self.config.workers, prefetch=self.config.prefetch,
        )  # fmt: skip

    def exhibit(
        self, folder: Path, records: Sequence[Mapping[str, Any]], split: str, title: str
    ) -> tuple[str, str] | None:
        """See DataSource.exhibit: what ``exhibit`` shows."""
        return None if self._exhibit is None else self._exhibit(folder, records, self, split, title)


def _carved(title: str, lengths: Mapping[str, int], fraction: float, labels: Any) -> tuple[Tensor, Tensor]:
    """Rows of train that stay there, and those held out."""
    if not 0 <= fraction < 1 or "val" in lengths or "train" not in lengths:
        raise ConfigError(
            f"{title}: val_fraction={fraction} must be in [0, 1), and above 0 it needs a train and no val among the "
            f"splits; there are {', '.join(lengths)}"
        )
    given = np.zeros(lengths["train"], np.int64) if labels is None else np.asarray(labels)
    if given.shape != (lengths["train"],) or given.dtype.kind not in "iu":
        raise DataError(
            f"{title}: labels must be ({lengths['train']},) whole numbers, one for every row of train; they are "
            f"{given.dtype} {given.shape}"
        )
    train, val = hold_out(torch.from_numpy(given.astype(np.int64)), fraction)
    if not len(val):
        raise DataError(f"{title}: val_fraction={fraction} of {lengths['train']} samples holds none out; raise it")
    return train, val
