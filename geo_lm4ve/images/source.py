"""Images as a data source, read as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from geo_lm4ve.data.loaders import make_loader
from geo_lm4ve.data.manifest import data_manifest
from geo_lm4ve.data.split import hold_out, subsample
from geo_lm4ve.images.data_config import ImageConfig
from geo_lm4ve.images.loader import ImageSplit
from geo_lm4ve.images.pictures import Chosen, Pictures, PictureSet
from geo_lm4ve.images.stores.kept import kept
from geo_lm4ve.parts.data import DataError, DataInfo, DataSource, Loader
from geo_lm4ve.tokens import TokenSet


class ImageSource(DataSource):
    """See ImageConfig.

    Attributes:
        splits: the images of each split.
    """

    def __init__(self, config: ImageConfig):
        self.config = config
        found = _kept(config.pictures(), config)
        self.classes = tuple(found.classes)
        self.splits = {split: _limited(one, config.limit) for split, one in _divided(found, config).items()}
        counts = {split: len(one) for split, one in self.splits.items()}
        synthetic = config.folder.is_dir() and data_manifest(config.folder).synthetic
        self.info = DataInfo(
            config.title(self.classes), self.classes, counts, synthetic, config.benchmark(self.classes),
            _candidates(found) if config.restricted else (),
        )  # fmt: skip

    def loader(
        self, split: str, *, batch_size: int, train: bool, seed: int, rank: int = 0, world: int = 1, view: int = 0
    ) -> Loader:
        """See DataSource.loader."""
        config = self.config
        return make_loader(
            self.split(split), train=train, batch_size=batch_size, seed=seed, rank=rank, world=world, view=view,
            workers=config.workers, prefetch=config.prefetch,
        )  # fmt: skip

    def split(self, split: str) -> ImageSplit:
        """See DataSource.split."""
        if split not in self.splits:
            raise DataError(f"{self.info.title} has no split {split!r}, only {', '.join(self.splits)}")
        config = self.config
        return ImageSplit(
            self.splits[split], len(self.classes), config.window, config.middle, config.recipe, config.repeats
        )

    def exhibit(self, folder: Path, records: Sequence[Mapping[str, Any]], split: str, title: str) -> tuple[str, str]:
        """See DataSource.exhibit: ``contact_sheet.png``, and the images as cards."""
        from geo_lm4ve.images.viz.exhibit import exhibit  # imports matplotlib

        return exhibit(folder, records, self, split, self.config.recipe, title)

    def draw_tokens(
        self,
        path: Path,
        batch: Any,
        tokens: Mapping[str, TokenSet],
        kind: Callable[[Tensor, Tensor], Tensor],
        records: Sequence[Mapping[str, Any]],
        title: str,
    ) -> None:
        """See DataSource.draw_tokens: on the patches of every image."""
        from geo_lm4ve.images.viz.patches import draw_patches

        synthetic = self.info.synthetic
        draw_patches(path, batch, tokens, kind, records, self.config.recipe, title, synthetic=synthetic)


def _candidates(found: PictureSet) -> tuple[int, ...]:
    """Labels that images have."""
    return tuple(torch.cat([one.labels for one in found.splits.values()]).unique().tolist())


def _kept(found: PictureSet, config: ImageConfig) -> PictureSet:
    """The same images, decoded once where they are few enough."""
    if config.limit is not None:
        return found
    splits = {split: kept(one, f"{config.root} ({split})", config.cache_gib) for split, one in found.splits.items()}
    return PictureSet(splits, found.classes)


def _divided(found: PictureSet, config: ImageConfig) -> dict[str, Pictures]:
    """The splits of the files, and a ``val`` out of train where they have none."""
    if "val" in found.splits or "train" not in found.splits or not config.val_fraction:
        return dict(found.splits)
    train, val = hold_out(found.splits["train"].labels, config.val_fraction)
    held: dict[str, Pictures] = {
        "train": Chosen(found.splits["train"], train),
        "val": Chosen(found.splits["train"], val),
    }
    return {**held, **{split: one for split, one in found.splits.items() if split != "train"}}


def _limited(pictures: Pictures, limit: int | None) -> Pictures:
    rows = torch.arange(len(pictures))
    kept = subsample(rows, limit)
    return pictures if len(kept) == len(rows) else Chosen(pictures, kept)
