"""Traffic scenes of a folder as a data source, streamed from a cache: the base of every motion forecasting data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import torch
from omegaconf import MISSING

from geo_lm4ve.cache import folder_beside
from geo_lm4ve.config import ConfigError
from geo_lm4ve.data.loaders import make_loader
from geo_lm4ve.data.split import hold_out, subsample
from geo_lm4ve.invocation import command
from geo_lm4ve.parts.data import DataConfig, DataError, DataSource, Loader
from geo_lm4ve.traffic.batch import SceneBatch, SceneInfo
from geo_lm4ve.traffic.cache.files import SceneFiles
from geo_lm4ve.traffic.cache.own_split import OwnSplit
from geo_lm4ve.traffic.cache.shards import Shards
from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.traffic.loader import SceneSplit
from geo_lm4ve.traffic.own_scenes import OwnScenes
from geo_lm4ve.traffic.records.surface import Surface
from geo_lm4ve.traffic.view.conventions import AgentSelection, FrameConfig, LaneSelection, SceneView


@dataclass
class SceneConfig(DataConfig):
    """Traffic scenes of one layout.

    A layout with a view of its own gives it to the fields ``frame``, ``agents`` and ``lanes`` of its configs
    (``argoverse/argoverse2.py``).

    Attributes:
        root: folder with the original files.
        cache: folder of the scene cache; None: ``scene_cache`` in ``root`` or, where that cannot be written, in the
            user's cache (``$GEO_LM4VE_CACHE/scene_cache`` or ``~/.cache/geo_lm4ve/scene_cache``).
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

    gives: ClassVar[type | None] = SceneBatch
    layout: ClassVar[Layout]
    synthetic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        super().__post_init__()
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
        return f"run {command('prepare')} {self.name}, or set data.root to the folder that holds the files"

    @property
    def folder(self) -> Path:
        """``root`` as a path."""
        return Path(self.root).expanduser()

    @property
    def title(self) -> str:
        """What reports call the data."""
        return f"synthetic traffic in the layout of {self.layout.title}" if self.synthetic else self.layout.title

    @property
    def official(self) -> Mapping[str, int]:
        """Scenes per split of the release, where there is one."""
        return {} if self.synthetic else self.layout.official

    def files(self, split: str) -> SceneFiles:
        """The original files of one of the data set's own splits; empty where there are none."""
        return self.layout.files(self.folder, split)

    def surface(self, scene_id: str, city: str) -> Surface | None:
        """The drivable area around a scene, where the data has it."""
        return self.layout.surface(self.folder, scene_id, city)

    def place(self) -> str:
        """See DataConfig.place."""
        return str(self.folder.resolve())

    def look(self) -> None:
        """See DataConfig.look: the folder is there."""
        if not self.folder.is_dir():
            raise DataError(f"there is no folder {self.folder.absolute()} for {self.title}: {self.advice}")

    def build(self) -> DataSource:
        """The data source; DataError when there are no files."""
        return SceneSource(self)

    def cache_folder(self) -> Path:
        """Where the scene cache is kept."""
        if self.cache is not None:
            return Path(self.cache).expanduser()
        return folder_beside(self.folder, "scene_cache", by_place=True)

    def own(self) -> OwnScenes:
        """See DataConfig.own: scenes of one's own, shown as the data set's are."""
        return OwnScenes(self.layout, self.folder, self.view)


class SceneSource(DataSource):
    """See SceneConfig. A split is opened, and if need be cached, when its first loader is made."""

    def __init__(self, config: SceneConfig):
        self.config = config
        folder, layout = config.cache_folder(), config.layout
        way = f"{command('prepare')} {config.name} --root {config.root}"
        self.own = {
            split: OwnSplit(config.files(split), folder / split, config.advice, way, config.max_dropped)
            for split in ("train", "val", "test")
        }
        if not any(len(own) for own in self.own.values()):
            raise DataError(f"there are no scenes of {config.title} in {config.folder.absolute()}: {config.advice}")
        self.opened: dict[str, SceneSplit] = {}
        counts = {split: len(self._rows(split, len(self._taken_from(split)))) for split in self.own}
        self.info = SceneInfo(
            self._title(), (), {split: count for split, count in counts.items() if count}, config.synthetic,
            history=layout.history, future=layout.future, hz=layout.hz, protocol=layout.protocol,
        )  # fmt: skip

    def loader(
        self, split: str, *, batch_size: int, train: bool, seed: int, rank: int = 0, world: int = 1, view: int = 0
    ) -> Loader:
        """See DataSource.loader. Scenes have no augmented views."""
        return make_loader(
            self.split(split), train=train, batch_size=batch_size, seed=seed, rank=rank, world=world, view=view,
            workers=self.config.workers, prefetch=self.config.prefetch,
        )  # fmt: skip

    def split(self, split: str) -> SceneSplit:
        """One split, cached on disk from now on.

        Raises:
            DataError: there is no such split, its cache cannot be built, or tools/prepare.py must build it.
        """
        if split not in self.info.counts:
            raise DataError(f"{self.info.title} has no split {split!r}, only {', '.join(self.info.counts)}")
        if split not in self.opened:
            own = self._taken_from(split)
            manifest = own.cached()
            shards = Shards(own.folder, manifest, self.config.layout.steps)
            rows = self._rows(split, manifest.scenes)
            self.opened[split] = SceneSplit(shards, rows, self.config.view, self.config.layout.future)
        return self.opened[split]

    def surface(self, scene_id: str, city: str) -> Surface | None:
        """The drivable area around a scene (for drivable-area compliance), or None where the data has none."""
        return self.config.surface(scene_id, city)

    def _taken_from(self, split: str) -> OwnSplit:
        """The data set's own split that a split is taken from."""
        carved = {"train": "train", "val": "train", "test": "val"}
        return self.own[carved[split] if self.config.val_fraction else split]

    def _rows(self, split: str, scenes: int) -> torch.Tensor:
        rows = torch.arange(scenes)
        if self.config.val_fraction and split != "test":
            train, val = hold_out(torch.zeros(scenes, dtype=torch.long), self.config.val_fraction)
            rows = train if split == "train" else val
        return subsample(rows, self.config.limit)

    def _title(self) -> str:
        counts = {split: len(own) for split, own in self.own.items() if len(own)}
        parts = []
        for split, count in counts.items():
            official = self.config.official.get(split, count)
            parts.append(f"{count:,} {split}" if count == official else f"{count:,} of {official:,} {split}")
        if self.config.val_fraction:
            parts.append(f"{self.config.val_fraction:.0%} of train held out as val")
        if self.config.limit:
            parts.append(f"at most {self.config.limit:,} used of each")
        return f"{self.config.title} ({', '.join(parts)})"
