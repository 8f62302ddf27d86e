"""Argoverse 2 motion forecasting (Wilson et al., 2021): 11 s scenes of six cities, 5 s observed, 6 s to predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from geo_lm4ve.config import register
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.argoverse.argoverse2_map import MapSurfaces, read_surfaces, read_vector_map
from geo_lm4ve.traffic.argoverse.argoverse2_parquet import FUTURE, HISTORY, read_scenario
from geo_lm4ve.traffic.cache.files import SceneFiles
from geo_lm4ve.traffic.cache.packing import Scene
from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.traffic.protocol import Protocol
from geo_lm4ve.traffic.records.recording import Recording
from geo_lm4ve.traffic.records.surface import Surface
from geo_lm4ve.traffic.source import SceneConfig
from geo_lm4ve.traffic.submissions import Forecasts, read_argoverse2, write_argoverse2
from geo_lm4ve.traffic.view.conventions import (
    AgentArea,
    AgentSelection,
    FrameConfig,
    Heading,
    LaneArea,
    LaneSelection,
    SceneView,
)
from geo_lm4ve.words import component

COUNTS = {"train": 199908, "val": 24988, "test": 24984}
"""Scenarios of the release."""


class Argoverse2Files(SceneFiles):
    """The scenario folders ``<id>/`` of a folder, sorted by id.

    Args:
        folder: with ``<id>/scenario_<id>.parquet`` and ``<id>/log_map_archive_<id>.json``.
        items: only these scenario folders.
    """

    title = "Argoverse 2"

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


class Argoverse2Layout(Layout):
    """See Layout; every scenario has a folder of its own, with its map in it."""

    title = Argoverse2Files.title
    official = COUNTS
    history = HISTORY
    future = FUTURE
    protocol = Protocol.av2
    scenes = "<id>/scenario_<id>.parquet"
    submission = "forecasts.parquet"

    def view(self) -> SceneView:
        """The annotated heading forward, agents and lanes within 150 m (as forecast-mae has them)."""
        return SceneView(
            FrameConfig(heading=Heading.annotated),
            AgentSelection(area=AgentArea.disc, radius=150.0),
            LaneSelection(area=LaneArea.disc, radius=150.0),
        )

    def files(self, root: Path, split: str) -> Argoverse2Files:
        """The scenarios of a split."""
        return Argoverse2Files(_split_folder(root, split))

    def surface(self, root: Path, scene_id: str, city: str) -> MapSurfaces | None:
        """The surfaces of a scenario's map."""
        for split in COUNTS:
            path = map_path(_split_folder(root, split) / component(scene_id))
            if path.is_file():
                return _surfaces(path)
        return None

    def own_files(self, path: Path) -> list[Path]:
        """The scenarios of a folder, or the one that it is; a scenario's parquet file stands for its folder."""
        parent = path.absolute().parent
        if path.name == f"scenario_{parent.name}.parquet":
            return [path.parent]
        return _scenario_folders(path) or [path]

    def own_file(self, path: Path, root: Path) -> Argoverse2Files:
        """A scenario folder or its parquet file."""
        folder = path.absolute() if path.is_dir() else path.absolute().parent
        if not (folder / f"scenario_{folder.name}.parquet").is_file():
            raise DataError(
                f"{path} is not a scenario: expected <id>/scenario_<id>.parquet beside <id>/log_map_archive_<id>.json"
            )
        return Argoverse2Files(folder.parent, [folder])

    def own_surface(self, path: Path, root: Path, city: str) -> MapSurfaces:
        """The surfaces of the scenario's map."""
        return _surfaces(map_path(self.own_file(path, root).items[0]))

    def scene_files(self, split: Path) -> dict[str, Path]:
        """``<id>/scenario_<id>.parquet``, or the file of a single scenario's folder."""
        found = [*split.glob("scenario_*.parquet"), *split.glob("*/scenario_*.parquet")]
        return {path.stem.removeprefix("scenario_"): path for path in found}

    def recording(self, path: Path) -> Recording:
        """The tracks of one scenario."""
        return read_scenario(path)

    def surfaces(
        self, paths: Sequence[Path], cities: Sequence[str], split: Path, maps: Path | None, wanted: bool
    ) -> tuple[list[Surface] | None, list[str]]:
        """The surfaces of every scenario's map, some 10 ms each and so only if asked for."""
        return ([read_surfaces(map_path(path.parent)) for path in paths] if wanted else None), []

    def read_submission(self, path: Path) -> Forecasts:
        """Parquet."""
        return read_argoverse2(path)

    def write_submission(self, path: Path, forecasts: Forecasts) -> None:
        """Parquet."""
        write_argoverse2(path, forecasts)


ARGOVERSE2 = Argoverse2Layout()


@register("data", "argoverse2")
@dataclass
class Argoverse2Config(SceneConfig):
    """Argoverse 2 motion forecasting, read from its own parquet and json files.

    ``root`` holds ``train``, ``val`` and ``test``; a split may be absent. A folder that holds scenario folders itself
    counts as ``val``.
    """

    name: str = "argoverse2"
    root: str = "datasets/argoverse2/raw"
    frame: FrameConfig = field(default_factory=lambda: ARGOVERSE2.view().frame)
    agents: AgentSelection = field(default_factory=lambda: ARGOVERSE2.view().agents)
    lanes: LaneSelection = field(default_factory=lambda: ARGOVERSE2.view().lanes)

    layout: ClassVar[Layout] = ARGOVERSE2


def map_path(scenario: Path) -> Path:
    """The map of a scenario folder."""
    return scenario / f"log_map_archive_{scenario.name}.json"


def _split_folder(root: Path, split: str) -> Path:
    bare = split == "val" and not any((root / name).is_dir() for name in COUNTS)
    return root if bare else root / split


def _scenario_folders(folder: Path) -> list[Path]:
    """Folders that are named like a scenario; a missing parquet file is found out when it is read."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name.count("-") >= 4)


@lru_cache(maxsize=64)
def _surfaces(path: Path) -> MapSurfaces:
    return read_surfaces(path)
