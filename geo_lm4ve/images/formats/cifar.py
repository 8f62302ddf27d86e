"""CIFAR-10 and CIFAR-100: 60,000 photographs of 32 x 32 pixels each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import torch

from geo_lm4ve.config import register
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.images.data_config import Crop, ImageConfig
from geo_lm4ve.images.formats.arrays import ArrayPictures
from geo_lm4ve.images.formats.cifar_files import Rows, read_binary, read_pickled
from geo_lm4ve.images.formats.wnids import check_count
from geo_lm4ve.images.pictures import PictureSet

COUNTS = {"train": 50_000, "test": 10_000}

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR100 = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
    "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock",
    "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest",
    "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard",
    "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid",
    "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum",
    "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper",
    "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone",
    "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf",
    "woman", "worm",
)  # fmt: skip
"""Fine classes by label."""


@dataclass
class CifarConfig(ImageConfig):
    """The authors' files, of the version for Python or the binary one.

    Attributes:
        allow_other_counts: accept other numbers of images, and missing files of train.
    """

    called: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    folders: ClassVar[tuple[str, str]]
    """Folders that the archives for Python, and the binary ones, are unpacked into."""
    files: ClassVar[dict[str, tuple[str, ...]]]
    """Files of each split, without the suffix of the binary version."""
    key: ClassVar[str]
    labels: ClassVar[int]
    """Labels before each image of the binary version."""

    size: int = 32
    share: float = 1.0
    crop: Crop = Crop.shift
    mean: list[float] = field(default_factory=lambda: [0.4914, 0.4822, 0.4465])
    std: list[float] = field(default_factory=lambda: [0.2470, 0.2435, 0.2616])
    allow_other_counts: bool = False

    @property
    def advice(self) -> str:
        """See ImageConfig.advice."""
        return f"set data.root to the folder that holds {self.folders[0]} or {self.folders[1]} (datasets/cifar)"

    def title(self, classes: Sequence[str]) -> str:
        """What the authors call it."""
        return f"{self.called} ({self.size} x {self.size})"

    def benchmark(self, classes: Sequence[str]) -> str:
        """See ImageConfig.benchmark."""
        return "" if self.allow_other_counts else self.called

    def pictures(self) -> PictureSet:
        """See ImageConfig.pictures; these are read here."""
        self.look()
        return PictureSet({split: self._split(split) for split in COUNTS}, self.names)

    def _split(self, split: str) -> ArrayPictures:
        paths = [path for name in self.files[split] if (path := self._file(name)) is not None]
        if not paths or (len(paths) < len(self.files[split]) and not self.allow_other_counts):
            raise DataError(
                f"{self.folder.absolute()} lacks {len(self.files[split]) - len(paths)} of {len(self.files[split])} "
                f"files of {split} ({', '.join(self.files[split])}, or with .bin): {self.advice}"
            )
        pixels, labels = map(torch.cat, zip(*map(self._read, paths)))
        check_count(self.folder, split, len(labels), COUNTS[split], self.allow_other_counts)
        return ArrayPictures(pixels, labels, split)

    def _file(self, name: str) -> Path | None:
        places = [place / kind for place in (self.folder, *map(self.folder.joinpath, self.folders))
                  for kind in (name, f"{name}.bin")]  # fmt: skip
        return next((place for place in places if place.is_file()), None)

    def _read(self, path: Path) -> Rows:
        if path.suffix == ".bin":
            return read_binary(path, self.labels, len(self.names))
        return read_pickled(path, self.key, len(self.names))


@register("data", "cifar10")
@dataclass
class Cifar10Config(CifarConfig):
    """CIFAR-10 (Krizhevsky, 2009): 10 classes."""

    called: ClassVar[str] = "CIFAR-10"
    names: ClassVar[tuple[str, ...]] = CIFAR10
    folders: ClassVar[tuple[str, str]] = ("cifar-10-batches-py", "cifar-10-batches-bin")
    files: ClassVar[dict[str, tuple[str, ...]]] = {
        "train": tuple(f"data_batch_{number}" for number in range(1, 6)), "test": ("test_batch",),
    }  # fmt: skip
    key: ClassVar[str] = "labels"
    labels: ClassVar[int] = 1

    name: str = "cifar10"
    root: str = "datasets/cifar"


@register("data", "cifar100")
@dataclass
class Cifar100Config(CifarConfig):
    """CIFAR-100 (Krizhevsky, 2009): 100 fine classes."""

    called: ClassVar[str] = "CIFAR-100"
    names: ClassVar[tuple[str, ...]] = CIFAR100
    folders: ClassVar[tuple[str, str]] = ("cifar-100-python", "cifar-100-binary")
    files: ClassVar[dict[str, tuple[str, ...]]] = {"train": ("train",), "test": ("test",)}
    key: ClassVar[str] = "fine_labels"
    labels: ClassVar[int] = 2

    name: str = "cifar100"
    root: str = "datasets/cifar"
    mean: list[float] = field(default_factory=lambda: [0.5071, 0.4865, 0.4409])
    std: list[float] = field(default_factory=lambda: [0.2673, 0.2564, 0.2762])
