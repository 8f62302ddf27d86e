"""Traffic scenes of a folder as a data source, streamed from a cache: the base of every motion forecasting data set."""

from __future__ import annotations

import hashlib
import os
import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import torch
from omegaconf import MISSING

from geo_lm4ve.config import ConfigError
from geo_lm4ve.data.base import DataConfig, DataError, DataSource, Loader
from geo_lm4ve.data.notice import say
from geo_lm4ve.data.points_split import carve, thin
from geo_lm4ve.data.scene_assembly import assemble
from geo_lm4ve.data.scene_cache import DiskShards, Manifest, read_manifest
from geo_lm4ve.data.scene_cache_build import build_cache
from geo_lm4ve.data.scene_files import SceneFiles, need
from geo_lm4ve.data.scene_frames import AgentSelection, FrameConfig, LaneSelection, SceneView
from geo_lm4ve.data.scene_loader import WINDOW, EvalLoader, SceneSplit, TrainLoader
from geo_lm4ve.data.scene_packing import check_map, pack_scenes
from geo_lm4ve.data.scenes import Protocol, SceneBatch, SceneInfo
from geo_lm4ve.data.surfaces import Surface

BUILD_AT_ONCE = 5000
"""A split of more scenes is cached by ``tools/prepare.py``, with several processes, not by the way."""

WAIT = 3600.0
"""Seconds that the other processes of a run wait for the first one to build the cache."""


@dataclass
class SceneConfig(DataConfig):
    """Traffic scenes in one of the Argoverse layouts.

    Attributes:
        root: folder with the original files.
        cache: folder of the scene cache; None: ``scene_cache`` in ``root`` or, where that cannot be written, in the
            user's cache (GEO_LM4VE_CACHE or ~/.cache).
        frame, agents, lanes: the frame of the scenes, and which agents and lanes they show.
        val_fraction: 0: ``train``, ``val`` and ``test`` are the data set's own. Above 0: ``val`` is that part of train
            (the same for every seed) and ``test`` is the data set's own ``val``: a checkpoint can be chosen without a
            look at the scenes that are reported.
        limit: at most so many scenes of every split, evenly spaced, for debugging.
        max_dropped: largest part of the scenes of a split that may be unreadable.
    """

    root: str = MISSING
    cache: str | None = None
    frame: FrameConfig = field(default_factory=FrameConfig)
    agents: AgentSelection = field(default_factory=AgentSelection)
    lanes: LaneSelection = field(default_factory=LaneSelection)
    val_fraction: float = 0.0
    limit: int | None = None
    max_dropped: float = 0.01

    layout: ClassVar[str]
    official: ClassVar[dict[str, int]]
    history: ClassVar[int]
    future: ClassVar[int]
    hz: ClassVar[float]
    protocol: ClassVar[Protocol]

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        self.view.check()
        if not 0 <= self.val_fraction < 1 or not 0 <= self.max_dropped <= 1:
            raise ConfigError(
                f"data.val_fraction={self.val_fraction} must be in [0, 1) and data.max_dropped={self.max_dropped} in "
                "[0, 1]"
            )
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"data.limit={self.limit} must be at least 1, or null")

    @property
    def view(self) -> SceneView:
        """How scenes are shown."""
        return SceneView(self.frame, self.agents, self.lanes)

    @property
    def advice(self) -> str:
        """How to get the data."""
        return f"run python tools/prepare.py {self.name}, or set data.root to the folder that holds the files"

    @abstractmethod
    def files(self, split: str) -> SceneFiles:
        """The original files of one of the data set's own splits; empty where there are none."""

    @abstractmethod
    def own_file(self, path: Path) -> SceneFiles:
        """One scene outside the data set, with its map; DataError if they are not to be found."""

    @abstractmethod
    def surface(self, scene_id: str, city: str) -> Surface | None:
        """The drivable area around a scene, where the data has it."""

    def build(self) -> DataSource:
        """The data source; DataError when there are no files."""
        return SceneSource(self)

    def cache_folder(self) -> Path:
        """Where the scene cache is kept."""
        if self.cache is not None:
            return Path(self.cache).expanduser()
        root = Path(self.root).expanduser()
        if os.access(root, os.W_OK):
            return root / "scene_cache"
        base = os.environ.get("GEO_LM4VE_CACHE") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "geo_lm4ve"
        place = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
        return Path(base).expanduser() / "scene_cache" / place

    def read(self, paths: Sequence[Path]) -> SceneBatch:
        """Scenes of one's own files as a batch, shown as the data set's are.

        Raises:
            DataError: a file or its map cannot be read.
        """
        scenes = []
        for path in paths:
            files = self.own_file(Path(path))
            scenes.append(files.scene(files.items[0]))
            check_map(scenes[-1])
        rows = torch.arange(len(scenes))
        return assemble(pack_scenes(scenes), rows, rows, self.view, self.future)


class SceneSource(DataSource):
    """See SceneConfig. A split is opened, and if need be cached, when its first loader is made."""

    def __init__(self, config: SceneConfig):
        self.config = config
        self.root = Path(config.root).expanduser()
        self.folder = config.cache_folder()
        self.files = {split: config.files(split) for split in ("train", "val", "test")}
        self.manifests = {split: self._manifest(split) for split in self.files}
        self.opened: dict[str, SceneSplit] = {}
        own = {split: self._scenes(split) for split in self.files}
        if not any(own.values()):
            raise DataError(f"there are no scenes of {config.layout} in {self.root.absolute()}: {config.advice}")
        counts = {split: count for split, count in self._counts(own).items() if count}
        self.info = SceneInfo(
            self._title(own), (), counts, history=config.history, future=config.future, hz=config.hz,
            protocol=config.protocol,
        )  # fmt: skip

    def loader(
        self, split: str, *, batch_size: int, train: bool, seed: int, rank: int = 0, world: int = 1, view: int = 0
    ) -> Loader:
        """See DataSource.loader. Scenes have no augmented views."""
        if view:
            raise DataError("traffic scenes have no augmented views to vote over: set task.votes=0")
        if batch_size < 1 or not 0 <= rank < world:
            raise ValueError(
                f"a loader needs batch_size >= 1 and 0 <= rank < world, got {batch_size=}, {rank=}, {world=}"
            )
        scenes = self.split(split)
        if train:
            return TrainLoader(scenes, batch_size=batch_size, seed=seed, rank=rank, world=world)
        return EvalLoader(scenes, batch_size=batch_size, rank=rank, world=world)

    def split(self, split: str) -> SceneSplit:
        """One split, cached on disk from now on.

        Raises:
            DataError: there is no such split, its cache cannot be built, or it must be built by tools/prepare.py.
        """
        if split not in self.info.counts:
            raise DataError(f"{self.info.title} has no split {split!r}, only {', '.join(self.info.counts)}")
        if split not in self.opened:
            own = self._own(split)
            manifest = self._cached(own)
            rows = self._rows(split, manifest.scenes)
            shards = DiskShards(self.folder / own, manifest, keep=WINDOW)
            self.opened[split] = SceneSplit(shards, rows, self.config.view, self.config.future)
        return self.opened[split]

    def surface(self, scene_id: str, city: str) -> Surface | None:
        """The drivable area around a scene (for drivable-area compliance), or None where the data has none."""
        return self.config.surface(scene_id, city)

    def _own(self, split: str) -> str:
        """The data set's own split that a split is taken from."""
        if not self.config.val_fraction:
            return split
        return {"train": "train", "val": "train", "test": "val"}[split]

    def _rows(self, split: str, scenes: int) -> torch.Tensor:
        rows = torch.arange(scenes)
        if self.config.val_fraction and split != "test":
            train, val = carve(torch.zeros(scenes, dtype=torch.long), self.config.val_fraction)
            rows = train if split == "train" else val
        return thin(rows, self.config.limit)

    def _counts(self, own: dict[str, int]) -> dict[str, int]:
        counts = {split: own[self._own(split)] for split in own}
        return {split: len(self._rows(split, count)) for split, count in counts.items()}

    def _manifest(self, own: str) -> Manifest | None:
        """A finished cache, if it was made of the files at hand (or there are no files, only the cache)."""
        manifest, files = read_manifest(self.folder / own), self.files[own]
        if manifest is not None and len(files) and manifest.key != files.key():
            say(f"{files.folder} has changed since {self.folder / own} was made of it")
            return None
        return manifest

    def _scenes(self, own: str) -> int:
        manifest = self.manifests[own]
        return len(self.files[own]) if manifest is None else manifest.scenes

    def _cached(self, own: str) -> Manifest:
        manifest = self.manifests[own]
        if manifest is not None:
            return manifest
        files = need(self.files[own], self.config.advice)
        if len(files) > BUILD_AT_ONCE:
            raise DataError(
                f"the {len(files):,} scenes in {files.folder} are not cached yet: run python tools/prepare.py "
                f"{self.config.name} --root {self.root} first (several processes, can be resumed)"
            )
        if int(os.environ.get("LOCAL_RANK", "0")):
            self.manifests[own] = manifest = _wait(self.folder / own, files)
        else:
            self.manifests[own] = manifest = build_cache(files, self.folder / own, 0, self.config.max_dropped)
        return manifest

    def _title(self, own: dict[str, int]) -> str:
        official = self.config.official
        parts = [
            f"{count:,} of {official[split]:,} {split}" if official.get(split, count) != count else f"{count:,} {split}"
            for split, count in own.items() if count
        ]  # fmt: skip
        carved = f", {self.config.val_fraction:.0%} of train held out as val" if self.config.val_fraction else ""
        limit = f", at most {self.config.limit:,} used" if self.config.limit else ""
        return f"{self.config.layout} ({', '.join(parts)}{carved}{limit})"


def _wait(folder: Path, files: SceneFiles) -> Manifest:
    """Until the first process of this machine has built the cache."""
    end, key = time.monotonic() + WAIT, files.key()
    while time.monotonic() < end:
        manifest = read_manifest(folder)
        if manifest is not None and manifest.key == key:
            return manifest
        time.sleep(0.5)
    raise DataError(f"waited {WAIT / 60:.0f} minutes for {folder}: prepare the data by tools/prepare.py first")
