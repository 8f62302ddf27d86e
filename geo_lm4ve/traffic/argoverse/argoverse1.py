"""Argoverse 1 motion forecasting (Chang et al., CVPR 2019): 5 s scenes of two cities, 2 s observed, 3 s to predict."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

from geo_lm4ve.config import register
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.argoverse.argoverse1_csv import FUTURE, HISTORY, HZ, read_sequence
from geo_lm4ve.traffic.argoverse.argoverse1_map import (
    RASTERS,
    DrivableRaster,
    read_drivable_raster,
    read_vector_map,
    vector_map_path,
)
from geo_lm4ve.traffic.batch import Protocol
from geo_lm4ve.traffic.cache.files import SceneFiles
from geo_lm4ve.traffic.cache.packing import Scene
from geo_lm4ve.traffic.records.recording import Recording
from geo_lm4ve.traffic.records.vector_map import VectorMap
from geo_lm4ve.traffic.source import SceneConfig

COUNTS = {"train": 205942, "val": 39472, "test": 78143}
"""Sequences of release v1.1."""

FOLDERS = {"train": "train/data", "val": "val/data", "test": "test_obs/data"}
MAPS = "map_files"


class Argoverse1Files(SceneFiles):
    """The ``*.csv`` of a folder, in numeric order, with the maps of their cities.

    Args:
        folder: with ``<sequence>.csv``.
        maps: ``map_files``; None: only recordings are wanted.
        items: only these files.
    """

    layout = "Argoverse 1"

    def __init__(self, folder: Path, maps: Path | None, items: list[Path] | None = None):
        self.folder, self.maps = folder, maps
        self.items = sorted(folder.glob("*.csv"), key=_number) if items is None else items

    def recording(self, item: Path) -> Recording:
        """The tracks of one sequence."""
        return read_sequence(item)

    def scene(self, item: Path) -> Scene:
        """One sequence with the map of its city."""
        if self.maps is None:
            raise DataError(f"no map_files folder is known for {item}; put it beside the splits")
        recording = read_sequence(item)
        try:
            return Scene(recording, _city_map(vector_map_path(self.maps, recording.city)))
        except DataError as error:
            raise DataError(f"{item}: {error}") from error

    def label(self, item: Path) -> str:
        """The file's name."""
        return item.name

    def shared(self) -> list[Path]:
        """The vector maps."""
        return sorted(self.maps.glob("*_vector_map.xml")) if self.maps else []

    def notes(self) -> list[str]:
        """Absent rasters."""
        if self.maps and any(self.maps.glob(RASTERS[0].format(city="*"))):
            return []
        return ["there is no raster of the drivable area, so drivable-area compliance (DAC) cannot be computed"]


@register("data", "argoverse1")
@dataclass
class Argoverse1Config(SceneConfig):
    """Argoverse 1 motion forecasting v1.1, read from its own csv, XML and npy files.

    ``root`` holds ``train/data``, ``val/data``, ``test_obs/data`` and ``map_files``; a split may be absent.
    """

    name: str = "argoverse1"
    root: str = "datasets/argoverse1/raw"

    layout: ClassVar[str] = "Argoverse 1"
    official: ClassVar[dict[str, int]] = COUNTS
    history: ClassVar[int] = HISTORY
    future: ClassVar[int] = FUTURE
    hz: ClassVar[float] = HZ
    protocol: ClassVar[Protocol] = Protocol.av1

    def files(self, split: str) -> Argoverse1Files:
        """The csv files of a split."""
        root = Path(self.root).expanduser()
        return Argoverse1Files(root / FOLDERS[split], root / MAPS)

    def own_file(self, path: Path) -> Argoverse1Files:
        """A csv file, with ``map_files`` in ``root`` or in a folder above the file."""
        places = [Path(self.root).expanduser(), *path.absolute().parents]
        maps = next((place / MAPS for place in places if (place / MAPS).is_dir()), None)
        if maps is None:
            raise DataError(f"no {MAPS} folder in data.root={self.root} or above {path}: {self.advice}")
        return Argoverse1Files(path.parent, maps, [path])

    def own_files(self, path: Path) -> list[Path]:
        """The csv files of a folder, or of ``data`` in it."""
        if not path.is_dir():
            return [path]
        return sorted((path / "data" if (path / "data").is_dir() else path).glob("*.csv"), key=_number)

    def own_surface(self, path: Path, city: str) -> DrivableRaster | None:
        """The raster of a city, beside the vector map."""
        return _raster(self.own_file(path).maps, city)

    def surface(self, scene_id: str, city: str) -> DrivableRaster | None:
        """The raster of a city."""
        return _raster(Path(self.root).expanduser() / MAPS, city)


def _number(path: Path) -> tuple[int, str]:
    return (int(path.stem) if path.stem.isdigit() else -1, path.stem)


@cache
def _city_map(path: Path) -> VectorMap:
    return read_vector_map(path)


@cache
def _raster(folder: Path, city: str) -> DrivableRaster | None:
    return read_drivable_raster(folder, city)
