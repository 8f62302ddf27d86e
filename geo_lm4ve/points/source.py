"""Clouds of a folder as a data source, all in memory: the base of every point-cloud data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from omegaconf import MISSING

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.data.loaders import make_loader
from geo_lm4ve.data.manifest import DataManifest, data_manifest
from geo_lm4ve.data.split import hold_out, subsample
from geo_lm4ve.geometry.normalize import normalize_unit_sphere
from geo_lm4ve.notice import say
from geo_lm4ve.parts.data import DataConfig, DataError, DataInfo, DataSource, Loader
from geo_lm4ve.points.augment import ScaleAndShift, Turn, Up
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.features import check_kinds
from geo_lm4ve.points.files import Clouds, checked_root, count_clouds, read_names, read_split
from geo_lm4ve.points.finish import Finish
from geo_lm4ve.points.loader import CloudSplit, Recipe
from geo_lm4ve.points.own_clouds import OwnClouds
from geo_lm4ve.points.placing import foreign, reach
from geo_lm4ve.points.usable import Sampling, usable


@dataclass
class PointCloudConfig(DataConfig):
    """Clouds in the HDF5 layout of ModelNet40 (``points/files.py``).

    Attributes:
        root: folder with ``ply_data_{train,test}*.h5`` and ``shape_names.txt``.
        points: points per cloud in a batch.
        sampling: which of the stored points: ``fps_random`` (Point-BERT), ``first``, ``first_shuffled`` (OpenPoints:
            the order of points matters to PointNeXt) or ``random``.
        scale_low, scale_high: range of the random scale per axis in training.
        shift: bound of the random shift per axis in training, in the unit of the points.
        rotate: every training cloud is rotated about the up axis by up to so many degrees either way; 180: anyhow.
        up: the axis that points up: of rotation and of the feature ``height``.
        normalize: centre every cloud and scale it to the unit sphere when it is read, be it of the data set or a file
            to predict; False: they lie there already, and it is said where one does not.
        normalize_after: centre every cloud of a batch and scale it to the unit sphere, in training after the random
            scale (OpenPoints on ScanObjectNN); it would undo a shift.
        features: what the points of a batch carry besides their coordinates (``points.features.KINDS``); the files must
            hold it, but for ``height``. ``encoder.features`` takes it.
        val_fraction: part of every class of train held out as ``val`` (the same for every seed); 0: no ``val``.
        limit: at most so many clouds of every split, for debugging.
        on_sphere: the data set's clouds should lie on the unit sphere without ``normalize``; it is said where not.
        allow_other_counts: accept numbers of clouds that differ from the data set's own, and classes without a
            training cloud.
    """

    gives: ClassVar[type | None] = PointBatch
    on_sphere: ClassVar[bool] = True

    root: str = MISSING
    points: int = 1024
    sampling: Sampling = Sampling.fps_random
    scale_low: float = 2 / 3
    scale_high: float = 3 / 2
    shift: float = 0.2
    rotate: float = 0.0
    up: Up = Up.z
    normalize: bool = False
    normalize_after: bool = False
    features: list[str] = field(default_factory=list)
    val_fraction: float = 0.1
    limit: int | None = None
    allow_other_counts: bool = False

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        super().__post_init__()
        if self.points < 1 or (self.limit is not None and self.limit < 1):
            raise ConfigError(f"data.points={self.points} and data.limit={self.limit} must be at least 1")
        if not 0 <= self.val_fraction < 1:
            raise ConfigError(f"data.val_fraction={self.val_fraction} must be in [0, 1)")
        if not 0 < self.scale_low <= self.scale_high or self.shift < 0:
            raise ConfigError(
                f"0 < data.scale_low <= data.scale_high and data.shift >= 0 must hold, "
                f"got {self.scale_low}, {self.scale_high}, {self.shift}"
            )
        if not 0 <= self.rotate <= 180:
            raise ConfigError(f"data.rotate={self.rotate} must be in [0, 180] degrees")
        if self.normalize_after and self.shift:
            raise ConfigError(f"data.normalize_after=true undoes data.shift={self.shift}; set data.shift=0")
        check_kinds("data.features", self.features)

    def title(self, names: Sequence[str]) -> str:
        """What reports call the data with these classes."""
        return f"point clouds of {Path(self.root).name} ({len(names)} classes, {self.described})"

    def benchmark(self, names: Sequence[str]) -> str:
        """See DataInfo.benchmark, of the data with these classes."""
        return ""

    @property
    def described(self) -> str:
        """How many points a cloud has, and what they carry: ``1024 points``, ``1024 points with normal``."""
        return f"{self.points} points{' with ' * bool(self.features)}{' and '.join(self.features)}"

    def class_names(self, root: Path) -> tuple[str, ...]:
        """Class names by label; DataError where nothing tells them."""
        return read_names(root)

    def clouds(self, root: Path, split: str, names: Sequence[str]) -> Clouds:
        """All clouds of ``train`` or ``test`` with what they carry; DataError where one cannot be read."""
        return read_split(root, split, names, self.features)

    @property
    def finish(self) -> Finish:
        """The last step of every batch."""
        return Finish(tuple(self.features), self.up.value, self.normalize_after)

    @property
    def advice(self) -> str:
        """How to get the data; ends the message about a missing folder."""
        return "set data.root to a folder in the layout that datasets/README.md describes"

    def expected_counts(self, names: Sequence[str], manifest: DataManifest) -> dict[str, int]:
        """Clouds that each split should hold, as far as it is known."""
        return manifest.counts

    def place(self) -> str:
        """See DataConfig.place."""
        return str(Path(self.root).expanduser().resolve())

    def build(self) -> PointCloudSource:
        """The data in memory; DataError when files are missing, corrupt or not of the expected number."""
        return PointCloudSource(self)

    def look(self) -> None:
        """See DataConfig.look: the folder and its files of training clouds are there."""
        self.checked_root()

    def checked_root(self) -> Path:
        """The folder of the files; DataError where there are none in it."""
        return checked_root(Path(self.root).expanduser(), self.advice)

    def splits(self) -> tuple[str, ...]:
        """See DataConfig.splits: ``val`` is a part of train."""
        return ("train", "val", "test") if self.val_fraction else ("train", "test")

    def stored(self, folder: Path) -> dict[str, int]:
        """See DataConfig.stored; without a manifest the rows of the HDF5 files count."""
        return super().stored(folder) or count_clouds(folder)

    def own(self) -> OwnClouds:
        """See DataConfig.own: mesh and point files, normalised and sampled as the test split is."""
        return OwnClouds(self.points, self.normalize, self.sampling is Sampling.fps_random, self.finish)


@register("data", "point_folder")
@dataclass
class PointFolderConfig(PointCloudConfig):
    """One's own clouds: a folder in the layout of ModelNet40, scaled to the unit sphere when read."""

    name: str = "point_folder"
    normalize: bool = True


class PointCloudSource(DataSource):
    """See PointCloudConfig. All clouds are in memory, reduced to the points that batches can use."""

    def __init__(self, config: PointCloudConfig):
        self.config = config
        self.root = config.checked_root()
        self.names = config.class_names(self.root)
        manifest = data_manifest(self.root)
        files = {split: config.clouds(self.root, split, self.names) for split in ("train", "test")}
        self._check_counts(files, config.expected_counts(self.names, manifest))
        if config.on_sphere and not config.normalize and not config.normalize_after:
            reaches = {f"{self.root} ({split})": reach(clouds.points) for split, clouds in files.items()}
            if remark := foreign(reaches, "set data.normalize=true, or data=point_folder, which does"):
                say(remark)
        self.splits = self._prepared(files)
        counts = {split: len(clouds) for split, clouds in self.splits.items()}
        self.info = DataInfo(
            config.title(self.names), self.names, counts, manifest.synthetic, config.benchmark(self.names)
        )

    def loader(
        self, split: str, *, batch_size: int, train: bool, seed: int, rank: int = 0, world: int = 1, view: int = 0
    ) -> Loader:
        """See DataSource.loader."""
        if split not in self.splits:
            raise DataError(f"{self.root} has no split {split!r}, only {', '.join(self.splits)} (data.val_fraction)")
        config = self.config
        augment = ScaleAndShift(config.scale_low, config.scale_high, config.shift)
        turn = Turn(config.rotate, config.up.value) if config.rotate else None
        recipe = Recipe(config.points, config.sampling is not Sampling.first, augment, turn, config.finish)
        return make_loader(
            CloudSplit(self.splits[split], recipe), train=train, batch_size=batch_size, seed=seed, rank=rank,
            world=world, view=view, workers=config.workers, prefetch=config.prefetch,
        )  # fmt: skip

    def exhibit(self, folder: Path, records: Sequence[Mapping[str, Any]], split: str, title: str) -> tuple[str, str]:
        """See DataSource.exhibit: ``contact_sheet.png``, and cards to turn."""
        from geo_lm4ve.points.viz.exhibit import exhibit  # imports matplotlib

        return exhibit(folder, records, self, split, title)

    def _check_counts(self, files: dict[str, Clouds], expected: dict[str, int]) -> None:
        if self.config.allow_other_counts:
            return
        counts = {split: len(clouds) for split, clouds in files.items()}
        if wrong := {split: count for split, count in expected.items() if counts.get(split) != count}:
            raise DataError(
                f"{self.root} must hold {wrong} clouds, it holds {counts}: a file is missing or too many; get the data "
                "again, or accept it by data.allow_other_counts=true"
            )
        present = files["train"].labels.bincount(minlength=len(self.names))
        if empty := [name for name, count in zip(self.names, present.tolist()) if not count]:
            raise DataError(
                f"{self.root}: no training cloud of {', '.join(empty)}; drop the name, add clouds, or accept it by "
                "data.allow_other_counts=true"
            )

    def _prepared(self, files: dict[str, Clouds]) -> dict[str, Clouds]:
        # The farthest point order is that of whole files, so it outlives a change of val_fraction; a limit is there
        # to be fast, so it comes first.
        if self.config.limit is None:
            return self._divide({split: self._stored(split, clouds) for split, clouds in files.items()})
        return {split: self._stored(split, clouds) for split, clouds in self._divide(files).items()}

    def _divide(self, files: dict[str, Clouds]) -> dict[str, Clouds]:
        train, val = hold_out(files["train"].labels, self.config.val_fraction)
        rows = {"train": (files["train"], train), "val": (files["train"], val)}
        rows["test"] = (files["test"], torch.arange(len(files["test"])))
        limit = self.config.limit
        return {split: clouds[subsample(chosen, limit)] for split, (clouds, chosen) in rows.items() if len(chosen)}

    def _stored(self, split: str, clouds: Clouds) -> Clouds:
        config = self.config
        if config.normalize:
            clouds = replace(clouds, points=normalize_unit_sphere(clouds.points))
        return usable(clouds, config.sampling, config.points, self.root, split)
