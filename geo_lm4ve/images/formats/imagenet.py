"""ImageNet-1K: 1,000 classes of photographs, as unpacked for training or as Kaggle has them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geo_lm4ve.config import register
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.images.data_config import ImageConfig
from geo_lm4ve.images.formats.listing import Listed, few, is_image
from geo_lm4ve.images.formats.wnids import by_wnids, check_count, wnids
from geo_lm4ve.images.pictures import PictureSet
from geo_lm4ve.images.stores.folder import FolderStore
from geo_lm4ve.reading import reader

COUNTS = {"train": 1_281_167, "val": 50_000}
"""Images of ILSVRC 2012."""

KAGGLE = "ILSVRC/Data/CLS-LOC"
"""Where Kaggle's archive has train and val."""
SOLUTION = "LOC_val_solution.csv"
"""Kaggle's classes of val."""
ARCHIVES = ("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar")


@register("data", "imagenet")
@dataclass
class ImageNetConfig(ImageConfig):
    """ImageNet-1K (Russakovsky et al., IJCV 2015): ``train/WNID/*.JPEG`` and ``val``, which papers report.

    Attributes:
        allow_other_counts: accept other numbers of images, and other classes (those of train, in alphabetical order).
    """

    name: str = "imagenet"
    root: str = "datasets/imagenet"
    allow_other_counts: bool = False

    @property
    def advice(self) -> str:
        """See ImageConfig.advice."""
        return "set data.root to the folder with train/ and val/ (datasets/imagenet says how to get it)"

    def splits(self) -> tuple[str, ...]:
        """See DataConfig.splits: the classes of the official test split are not public."""
        return ("train", "val")

    def title(self, classes: Sequence[str]) -> str:
        """ImageNet-1K for its own classes; another folder by its name."""
        own = self.benchmark(classes)
        return f"{own} ({self.size} x {self.size})" if own else super().title(classes)

    def benchmark(self, classes: Sequence[str]) -> str:
        """See ImageConfig.benchmark: ImageNet-1K has its own classes."""
        return "ImageNet-1K" if tuple(classes) == wnids() and not self.allow_other_counts else ""

    def pictures(self) -> PictureSet:
        """See ImageConfig.pictures."""
        self.look()
        base = self._base()
        store = FolderStore(base)
        classes = wnids()
        if self.allow_other_counts:
            inside = (folder.removeprefix("train/") for folder in store.folders() if folder.startswith("train/"))
            classes = tuple(sorted(name for name in inside if "/" not in name))
        splits = {"train": by_wnids(store, classes, "train/"), "val": self._val(store, classes)}
        for split, images in splits.items():
            check_count(base, split, len(images), COUNTS[split], self.allow_other_counts)
        return Listed(splits, classes).pictures(store)

    def _base(self) -> Path:
        """The folder that holds train and val."""
        for base in (self.folder, self.folder / KAGGLE):
            if all((base / split).is_dir() for split in COUNTS):
                return base
        if packed := [name for name in ARCHIVES if (self.folder / name).is_file()]:
            raise DataError(
                f"{self.folder.absolute()} holds {' and '.join(packed)}, which are not read in place: unpack them as "
                "datasets/imagenet/README.md says"
            )
        raise DataError(f"there is no train/ or no val/ in {self.folder.absolute()}: {self.advice}")

    def _val(self, store: FolderStore, classes: Sequence[str]) -> list[tuple[str, int]]:
        """The images of val: in folders of classes, or in one folder beside Kaggle's table."""
        flat = [name for name in store.names() if name.startswith("val/") and name.count("/") == 1 and is_image(name)]
        if not flat:
            return by_wnids(store, classes, "val/")
        table = next((one for one in (self.folder / SOLUTION, store.place / SOLUTION) if one.is_file()), None)
        if table is None:
            raise DataError(
                f"{store.place / 'val'} has {len(flat):,} images in no folder of a class: put {SOLUTION} (of Kaggle) "
                f"into {self.folder}, or move them into val/WNID/ (the numbers of "
                "ILSVRC2012_validation_ground_truth.txt count classes in another order)"
            )
        return _by_solution(table, read_solution(table), flat, classes)


@reader(DataError, "Kaggle's table of ImageNet's val", "get it again")
def read_solution(path: Path) -> dict[str, str]:
    """The WordNet id of each image of val, which is named without suffix."""
    lines = csv.reader(io.StringIO(path.read_text(encoding="utf-8")), strict=True)
    if next(lines, []) != ["ImageId", "PredictionString"]:
        raise ValueError("its first line is not ImageId,PredictionString")
    found: dict[str, str] = {}
    for line in lines:
        image, said = line
        if image in found:
            raise ValueError(f"it lists {image} more than once")
        found[image] = said.split()[0]
    return found


def _by_solution(
    table: Path, found: dict[str, str], images: Sequence[str], classes: Sequence[str]
) -> list[tuple[str, int]]:
    labels = {name: label for label, name in enumerate(classes)}
    stems = {name: Path(name).stem for name in images}
    if missing := [name for name, stem in stems.items() if found.get(stem) not in labels]:
        raise DataError(
            f"{table} gives no class of {len(classes):,} to {len(missing):,} of {len(images):,} images: "
            f"{few(missing)}; get it again"
        )
    return [(name, labels[found[stem]]) for name, stem in stems.items()]
