"""Images in tar shards as webdataset writes them: ``KEY.jpg`` beside ``KEY.cls`` or ``KEY.json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geo_lm4ve.config import register
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.images.data_config import ImageConfig
from geo_lm4ve.images.formats.listing import Listed, few, is_image
from geo_lm4ve.images.formats.shard_names import shard_files
from geo_lm4ve.images.formats.table import NAMES, read_classes
from geo_lm4ve.images.pictures import PictureSet
from geo_lm4ve.images.stores.joined import JoinedStore
from geo_lm4ve.images.stores.tar import open_tar
from geo_lm4ve.progress import Meter
from geo_lm4ve.reading import Fields, json_object, reader

LABELS = ("cls", "json")
"""Suffixes of what says the class of an image."""


@register("data", "image_shards")
@dataclass
class ImageShardsConfig(ImageConfig):
    """Tar shards in a folder; ``classes.txt`` beside them may name the classes.

    Attributes:
        train, val, test: patterns of the shards of each split, with ``*``, ``{000000..000146}`` and ``{a,b}``; a split
            of which there is none does not exist.
        label_key: of the label in ``KEY.json``.
    """

    name: str = "image_shards"
    train: str = "*train*.tar"
    val: str = "*val*.tar"
    test: str = "*test*.tar"
    label_key: str = "label"

    @property
    def advice(self) -> str:
        """See ImageConfig.advice."""
        return (
            "set data.root to the folder of the shards, data.train and data.val to their names (datasets/image_shards)"
        )

    def pictures(self) -> PictureSet:
        """See ImageConfig.pictures."""
        self.look()
        paths = {split: shard_files(self.folder, getattr(self, split)) for split in ("train", "val", "test")}
        if not any(paths.values()):
            raise DataError(f"no shard of {self.train}, {self.val} or {self.test} in {self.folder}: {self.advice}")
        every = {str(path.relative_to(self.folder)): path for found in paths.values() for path in found}
        store = JoinedStore(self.folder, {name: open_tar(path) for name, path in every.items()})
        splits = {
            split: self._images(store, [str(path.relative_to(self.folder)) for path in found])
            for split, found in paths.items()
            if found
        }
        return Listed(splits, self._classes(splits)).pictures(store)

    def _images(self, store: JoinedStore, shards: Sequence[str]) -> list[tuple[str, int]]:
        """Name and label of each image in some of the shards, in their order."""
        members: dict[str, dict[str, str]] = {}
        for shard in shards:
            for name in store.archives[shard].names():
                folder, slash, base = f"{shard}/{name}".rpartition("/")
                key, _, suffix = base.partition(".")
                members.setdefault(f"{folder}{slash}{key}", {})[suffix.lower()] = f"{shard}/{name}"
        found, bare = [], []
        with Meter(f"labels of {len(shards)} shards", len(members), unit="samples") as meter:
            for key, files in members.items():
                meter.advance(1)
                image = next((name for name in files.values() if is_image(name)), None)
                label = next((files[suffix] for suffix in LABELS if suffix in files), None)
                if image is None or label is None:
                    bare.append(key)
                else:
                    found.append((image, read_label(store.where(label), store.read(label), self.label_key)))
        if bare:
            raise DataError(
                f"{store.place}: {len(bare):,} of {len(members):,} samples have no image or no label (.cls, .json): "
                f"{few(bare)}; write the shards again"
            )
        return found

    def _classes(self, splits: dict[str, list[tuple[str, int]]]) -> tuple[str, ...]:
        """Their names, or their numbers."""
        highest, name = max((label, name) for images in splits.values() for name, label in images)
        path: Path = self.folder / NAMES
        if not path.is_file():
            return tuple(map(str, range(highest + 1)))
        names = read_classes(str(path), path.read_bytes())
        if highest >= len(names):
            raise DataError(f"{self.folder}: {name} has the label {highest}, {path} names {len(names)} classes")
        return names


@reader(DataError, "the label of an image", "write the shard again")
def read_label(place: str, content: bytes, key: str) -> int:
    """The label in a ``.cls`` (a number) or ``.json`` (an object that has it under ``key``); DataError."""
    if place.lower().endswith(".json"):
        return Fields(json_object(content)).whole(key, high=_HIGHEST)
    text = content.decode("ascii").strip()
    if not text.isdecimal() or len(text) > 9 or int(text) > _HIGHEST:
        raise ValueError(f"it holds {text[:40]!r}, not a whole number from 0 to {_HIGHEST:,}")
    return int(text)


_HIGHEST = 999_999
"""A head has a row of weights for every class."""
