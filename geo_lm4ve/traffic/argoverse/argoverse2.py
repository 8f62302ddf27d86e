"""Argoverse 2 motion forecasting (Wilson et al., 2021): 11 s scenes of six cities, 5 s observed, 6 s to predict."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from geo_lm4ve.config import register
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.argoverse.argoverse2_map import MapSurfaces, read_surfaces, read_vector_map
from geo_lm4ve.traffic.argoverse.argoverse2_parquet import FUTURE, HISTORY, HZ, read_scenario
from geo_lm4ve.traffic.batch import Protocol
from geo_lm4ve.traffic.cache.files import SceneFiles
from geo_lm4ve.traffic.cache.packing import Scene
from geo_lm4ve.traffic.records.recording import Recording
from geo_lm4ve.traffic.source import SceneConfig
from geo_lm4ve.traffic.view.conventions import AgentArea, AgentSelection, FrameConfig, Heading, LaneArea, LaneSelection

COUNTS = {"train": 199908, "val": 24988, "test": 24984}
"""Scenarios of the release."""


class Argoverse2Files(SceneFiles):
    """The scenario folders ``<id>/`` of a folder, sorted by id.

    Args:
        folder: with ``<id>/scenario_<id>.parquet`` and ``<id>/log_map_archive_<id>.json``.
        items: only these scenario folders.
    """

    layout = "Argoverse 2"

    def __init__(self, folder: Path, items: list[Path] | None = None):
        self.folder = folder
        self.items = _scenario_folders(folder) if items is None else items

    def recording(self, item: Path) -> Recording:
        """The tracks of one scenario."""
        return read_scenario(item / f"scenario_{item.name}.parquet")

    def scene(self, item: Path) -> Scene:
        """One scenario with its map."""
        return Scene(self.recording(item), read_vector_map(map_path(item)))

    def label(self, item: Path) -> str:
        """The scenario's id."""
        return item.name


@register("data", "argoverse2")
@dataclass
class Argoverse2Config(SceneConfig):
    """Argoverse 2 motion forecasting, read from its own parquet and json files.

    ``root`` holds ``train``, ``val`` and ``test``; a split may be absent. A folder that holds scenario folders itself
    counts as ``val``.
    """

    name: str = "argoverse2"
    root: str = "datasets/argoverse2/raw"
    frame: FrameConfig = field(default_factory=lambda: FrameConfig(heading=Heading.annotated))
    agents: AgentSelection = field(default_factory=lambda: AgentSelection(area=AgentArea.disc, radius=150.0))
    lanes: LaneSelection = field(default_factory=lambda: LaneSelection(area=LaneArea.disc, radius=150.0))

    layout: ClassVar[str] = "Argoverse 2"
    official: ClassVar[dict[str, int]] = COUNTS
    history: ClassVar[int] = HISTORY
    future: ClassVar[int] = FUTURE
    hz: ClassVar[float] = HZ
    protocol: ClassVar[Protocol] = Protocol.av2

    def files(self, split: str) -> Argoverse2Files:
        """The scenarios of a split."""
        return Argoverse2Files(self._folder(split))

    def own_file(self, path: Path) -> Argoverse2Files:
        """A scenario folder or its parquet file."""
        folder = path.absolute() if path.is_dir() else path.absolute().parent
        if not (folder / f"scenario_{folder.name}.parquet").is_file():
            raise DataError(
                f"{path} is not a scenario: expected <id>/scenario_<id>.parquet beside <id>/log_map_archive_<id>.json"
            )
        return Argoverse2Files(folder.parent, [folder])

    def own_files(self, path: Path) -> list[Path]:
        """The scenarios of a folder, or the one that it is."""
        return _scenario_folders(path) or [path]

    def own_surface(self, path: Path, city: str) -> MapSurfaces:
        """The surfaces of the scenario's map."""
        return _surfaces(map_path(self.own_file(path).items[0]))

    def surface(self, scene_id: str, city: str) -> MapSurfaces | None:
        """The surfaces of a scenario's map."""
        for split in COUNTS:
            path = map_path(self._folder(split) / scene_id)
            if path.is_file():
                return _surfaces(path)
        return None

    def _folder(self, split: str) -> Path:
        root = Path(self.root).expanduser()
        bare = split == "val" and not any((root / name).is_dir() for name in COUNTS)
        return root if bare else root / split


def map_path(scenario: Path) -> Path:
    """The map of a scenario folder."""
    return scenario / f"log_map_archive_{scenario.name}.json"


def _scenario_folders(folder: Path) -> list[Path]:
    """Folders that are named like a scenario; a missing parquet file is found out when it is read."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name.count("-") >= 4)


@lru_cache(maxsize=64)
def _surfaces(path: Path) -> MapSurfaces:
    return read_surfaces(path)
