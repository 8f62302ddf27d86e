"""Gray images in idx files, as MNIST, Fashion-MNIST and others come in: ``train-images-idx3-ubyte`` and three more."""

from __future__ import annotations

import gzip
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from geo_lm4ve.config import register
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.images.data_config import Crop, ImageConfig
from geo_lm4ve.images.formats.arrays import ArrayPictures
from geo_lm4ve.images.formats.table import NAMES, read_classes
from geo_lm4ve.images.pictures import PictureSet
from geo_lm4ve.images.stores.archive import DEFLATE_MOST
from geo_lm4ve.reading import check_bytes, reader

SPLITS = {"train": "train", "test": "t10k"}
"""What file names call the splits."""
_BYTES = 8
"""The kind of values, unsigned bytes; others are not read."""


@register("data", "idx")
@dataclass
class IdxConfig(ImageConfig):
    """Four idx files, packed by gzip or not, in a folder; ``classes.txt`` beside them may name the classes."""

    name: str = "idx"
    size: int = 28
    share: float = 1.0
    crop: Crop = Crop.shift
    border: int = 2
    flip: float = 0.0
    mean: list[float] = field(default_factory=lambda: [0.5, 0.5, 0.5])
    std: list[float] = field(default_factory=lambda: [0.5, 0.5, 0.5])

    @property
    def advice(self) -> str:
        """See ImageConfig.advice."""
        return "set data.root to a folder with train-images-idx3-ubyte and so on (datasets/idx)"

    def pictures(self) -> PictureSet:
        """See ImageConfig.pictures; these are read here."""
        self.look()
        splits = {split: self._split(split) for split in SPLITS}
        highest = int(splits["train"].labels.max())
        classes: Sequence[str] = [str(label) for label in range(highest + 1)]
        if (path := self.folder / NAMES).is_file():
            classes = read_classes(str(path), path.read_bytes())
        for split, one in splits.items():
            if (label := int(one.labels.max())) >= len(classes):
                raise DataError(f"{self.folder}: {split} has the label {label}, there are {len(classes)} classes")
        return PictureSet(dict(splits), tuple(classes))

    def _split(self, split: str) -> ArrayPictures:
        images, labels = (self._file(SPLITS[split], *kind) for kind in (("images", 3), ("labels", 1)))
        pixels, found = read_idx(images, 3), read_idx(labels, 1)
        if len(pixels) != len(found):
            raise DataError(f"{images} holds {len(pixels):,} images, {labels} {len(found):,} labels: get both again")
        return ArrayPictures(pixels[..., None].expand(-1, -1, -1, 3), found.long(), split)

    def _file(self, split: str, what: str, axes: int) -> Path:
        names = [f"{split}-{what}{dot}idx{axes}-ubyte{packed}" for dot in "-." for packed in ("", ".gz")]
        if found := [path for name in names if (path := self.folder / name).is_file()]:
            return found[0]
        raise DataError(f"there is no {names[0]} (or {names[1]}) in {self.folder.absolute()}: {self.advice}")


@reader(DataError, "an idx file of bytes", "get it again")
def read_idx(path: Path, axes: int) -> Tensor:
    """The uint8 values of an idx file in its shape; DataError where it is damaged, empty, or has other axes."""
    packed = path.suffix == ".gz"
    with gzip.open(path) if packed else path.open("rb") as file:
        zero, kind, found = struct.unpack(">HBB", file.read(4))
        if (zero, kind, found) != (0, _BYTES, axes):
            raise ValueError(f"its first bytes are not those of an idx file of bytes with {axes} axes")
        shape = struct.unpack(f">{axes}I", file.read(4 * axes))
        count = math.prod(shape)
        stored = path.stat().st_size
        check_bytes(count, f"values {shape}", stored=stored, ratio=DEFLATE_MOST if packed else 1)
        content = bytearray(file.read(count + 1))
    if len(content) != count or not count:
        raise ValueError(f"it holds {len(content):,} values or more, its shape is {shape}")
    return torch.frombuffer(content, dtype=torch.uint8).view(shape)
