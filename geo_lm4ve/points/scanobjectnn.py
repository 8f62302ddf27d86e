"""ScanObjectNN: 15 classes of objects in real indoor scans, in its six published variants."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from geo_lm4ve.config import register
from geo_lm4ve.data.manifest import DataManifest
from geo_lm4ve.invocation import command
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.augment import Up
from geo_lm4ve.points.files import Clouds, count_files, read_clouds
from geo_lm4ve.points.source import PointCloudConfig

NAMES = (
    "bag", "bin", "box", "cabinet", "chair", "desk", "display", "door", "shelf", "table", "bed", "pillow", "sink",
    "sofa", "toilet",
)  # fmt: skip
"""The classes by label, in the order of the authors."""


class Variant(enum.Enum):
    """A published variant: folder, and what its file names add to ``objectdataset``."""

    obj_bg = ("main_split", "")
    obj_only = ("main_split_nobg", "")
    pb_t25 = ("main_split", "_augmented25_norot")
    pb_t25_r = ("main_split", "_augmented25rot")
    pb_t50_r = ("main_split", "_augmentedrot")
    pb_t50_rs = ("main_split", "_augmentedrot_scale75")

    def file(self, split: str) -> str:
        """Path of the file of ``train`` or ``test``, from the folder that holds ``main_split``."""
        folder, suffix = self.value
        return f"{folder}/{'training' if split == 'train' else split}_objectdataset{suffix}.h5"


COUNTS: dict[Variant, dict[str, int]] = {Variant.pb_t50_rs: {"train": 11416, "test": 2882}}
"""Clouds that a variant must have, where that is known from more than its own files."""

SPLITS = ("train", "test")
ARCHIVED = "h5_files"
"""The folder that the authors' archive has everything in."""


@register("data", "scanobjectnn")
@dataclass
class ScanObjectNNConfig(PointCloudConfig):
    """ScanObjectNN (Uy et al., ICCV 2019), 2,048 points per cloud, y up, in the authors' HDF5 files.

    Their coordinates are taken as they are (Point-BERT, Point-MAE) unless ``normalize_after`` or ``normalize`` says
    otherwise (OpenPoints, the authors). The masks of object and background are not read.

    Attributes:
        variant: ``obj_bg`` (objects with background), ``obj_only`` (without), ``pb_t25``, ``pb_t25_r``, ``pb_t50_r``,
            ``pb_t50_rs`` (boxes shifted by up to 25 or 50 % of their size, rotated, scaled). The last is the hardest
            one and what most papers report.
    """

    on_sphere: ClassVar[bool] = False

    name: str = "scanobjectnn"
    root: str = "datasets/scanobjectnn/processed"
    up: Up = Up.y
    variant: Variant = Variant.pb_t50_rs

    def title(self, names: Sequence[str]) -> str:
        """ScanObjectNN with its variant as papers write it: OBJ_BG, PB_T50_RS, ..."""
        return f"{self.benchmark(names)} ({self.described})"

    def benchmark(self, names: Sequence[str]) -> str:
        """See PointCloudConfig.benchmark: each variant is one."""
        return f"ScanObjectNN {self.variant.name.upper()}"

    @property
    def advice(self) -> str:
        """How to get the data."""
        return f"run {command('prepare')} scanobjectnn, which says how to get it, or set data.root to its folder"

    def expected_counts(self, names: Sequence[str], manifest: DataManifest) -> dict[str, int]:
        """11,416 and 2,882 for PB_T50_RS; nothing else is known of the others than what their files hold."""
        return dict(COUNTS.get(self.variant, {}))

    def class_names(self, root: Path) -> tuple[str, ...]:
        """See PointCloudConfig.class_names: the files name no classes, the authors do."""
        return NAMES

    def clouds(self, root: Path, split: str, names: Sequence[str]) -> Clouds:
        """See PointCloudConfig.clouds."""
        return read_clouds([root / self.variant.file(split)], names, self.features, "ScanObjectNN")

    def checked_root(self) -> Path:
        """The folder that holds ``main_split``; DataError where a file of the variant is missing in it."""
        given = Path(self.root).expanduser()
        root = files_root(given)
        if missing := [file for file in map(self.variant.file, SPLITS) if not (root / file).is_file()]:
            there = [variant.name for variant in present(root)]
            hint = f"data.variant={'|'.join(there)} can be read there" if there else self.advice
            raise DataError(f"there is no {missing[0]} in {given.absolute()}: {hint}")
        return root

    def stored(self, folder: Path) -> dict[str, int]:
        """See DataConfig.stored: rows of the variant's files."""
        paths = {split: files_root(folder) / self.variant.file(split) for split in SPLITS}
        return count_files({split: [path] for split, path in paths.items() if path.is_file()})


def files_root(given: Path) -> Path:
    """The folder that holds ``main_split`` or ``main_split_nobg``: a given one, or ``h5_files`` in it."""
    inner = given / ARCHIVED
    return inner if any((inner / variant.value[0]).is_dir() for variant in Variant) else given


def present(root: Path) -> list[Variant]:
    """The variants of which both files lie below what ``files_root`` gave."""
    return [variant for variant in Variant if all((root / variant.file(split)).is_file() for split in SPLITS)]
