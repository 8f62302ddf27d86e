"""Argoverse 1 motion forecasting (Chang et al., CVPR 2019): 5 s scenes of two cities, 2 s observed, 3 s to predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

from geo_lm4ve.config import register
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.argoverse.argoverse1_csv import FUTURE, HISTORY, read_sequence
from geo_lm4ve.traffic.argoverse.argoverse1_map import (
    RASTERS,
    DrivableRaster,
    has_vector_map,
    read_drivable_raster,
    read_vector_map,
    vector_map_path,
)
from geo_lm4ve.traffic.cache.files import SceneFiles
from geo_lm4ve.traffic.cache.packing import Scene
from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.traffic.protocol import Protocol
from geo_lm4ve.traffic.records.recording import Recording
from geo_lm4ve.traffic.records.surface import Surface
from geo_lm4ve.traffic.records.vector_map import VectorMap
from geo_lm4ve.traffic.source import SceneConfig
from geo_lm4ve.traffic.submissions import Forecasts, read_argoverse1, write_argoverse1

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

    title = "Argoverse 1"

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


class OwnSequence(Argoverse1Files):
    """One csv file from anywhere, with the map of its city from the nearest folder that has it.

    Args:
        path: the file.
        root: where to look for ``map_files`` when no folder above the file has the map.
    """

    def __init__(self, path: Path, root: Path):
        super().__init__(path.parent, None, [path])
        self.root = root

    def scene(self, item: Path) -> Scene:
        """The sequence with the map of its city."""
        recording = read_sequence(item)
        return Scene(recording, _city_map(vector_map_path(_maps_near(item, self.root, recording.city), recording.city)))


class Argoverse1Layout(Layout):
    """See Layout; maps and rasters of whole cities lie in a folder ``map_files``."""

    title = Argoverse1Files.title
    official = COUNTS
    history = HISTORY
    future = FUTURE
    protocol = Protocol.av1
    scenes = "data/<sequence>.csv"
    submission = "forecasts.h5"

    def files(self, root: Path, split: str) -> Argoverse1Files:
        """The csv files of a split."""
        return Argoverse1Files(root / FOLDERS[split], root / MAPS)

    def surface(self, root: Path, scene_id: str, city: str) -> DrivableRaster | None:
        """The raster of a city."""
        return _raster(root / MAPS, city)

    def own_files(self, path: Path) -> list[Path]:
        """The csv files of a folder, or of ``data`` in it."""
        if not path.is_dir():
            return [path]
        return sorted((path / "data" if (path / "data").is_dir() else path).glob("*.csv"), key=_number)

    def own_file(self, path: Path, root: Path) -> OwnSequence:
        """A csv file, with its city's map in ``map_files`` in a folder above the file, or else in ``root``."""
        return OwnSequence(path, root)

    def own_surface(self, path: Path, root: Path, city: str) -> DrivableRaster | None:
        """The raster of a city, beside the vector map."""
        return _raster(_maps_near(path, root, city), city)

    def scene_files(self, split: Path) -> dict[str, Path]:
        """``data/<sequence>.csv`` or ``<sequence>.csv``."""
        return {path.stem: path for folder in (split / "data", split) for path in folder.glob("*.csv")}

    def recording(self, path: Path) -> Recording:
        """The tracks of one sequence."""
        return read_sequence(path)

    def surfaces(
        self, paths: Sequence[Path], cities: Sequence[str], split: Path, maps: Path | None, wanted: bool
    ) -> tuple[list[Surface] | None, list[str]]:
        """The rasters of the cities, asked for or not, from ``maps`` or ``map_files`` beside or above the split."""
        near = [folder / MAPS for folder in (split, split.parent, split.parent.parent)]
        folder = maps or next((path for path in near if path.is_dir()), None)
        if maps is not None and not maps.is_dir():
            raise DataError(f"no folder {maps}; --maps must name the folder {MAPS}")
        rasters = {city: read_drivable_raster(folder, city) if folder else None for city in set(cities)}
        found = [raster for raster in map(rasters.get, cities) if raster is not None]
        if len(found) == len(cities):
            return [*found], []
        names = "*_driveable_area_mat_*.npy, *_npyimage_to_city_se2_*.npy"
        return None, [f"no DAC: the drivable area rasters ({names}) are not there"]

    def read_submission(self, path: Path) -> Forecasts:
        """HDF5."""
        return read_argoverse1(path)

    def write_submission(self, path: Path, forecasts: Forecasts) -> None:
        """HDF5."""
        write_argoverse1(path, forecasts)


ARGOVERSE1 = Argoverse1Layout()


@register("data", "argoverse1")
@dataclass
class Argoverse1Config(SceneConfig):
    """Argoverse 1 motion forecasting v1.1, read from its own csv, XML and npy files.

    ``root`` holds ``train/data``, ``val/data``, ``test_obs/data`` and ``map_files``; a split may be absent.
    """

    name: str = "argoverse1"
    root: str = "datasets/argoverse1/raw"

    layout: ClassVar[Layout] = ARGOVERSE1


def _maps_near(path: Path, root: Path, city: str) -> Path:
    """The ``map_files`` with the map of a city: above the file rather than in ``root``, where other scenes may lie.

    Raises:
        DataError: there is none.
    """
    folders = [place / MAPS for place in (*path.absolute().parents, root)]
    if not (found := [folder for folder in folders if folder.is_dir()]):
        raise DataError(
            f"{path}: no {MAPS} folder above it or in data.root={root}; set data.root= to the folder that has it"
        )
    if (near := next((folder for folder in found if has_vector_map(folder, city)), None)) is None:
        raise DataError(
            f"{path}: no map of its city {city!r} in {' or '.join(map(str, dict.fromkeys(found)))}; set data.root= to "
            f"the folder whose {MAPS} has it"
        )
    return near


def _number(path: Path) -> tuple[int, str]:
    return (int(path.stem) if path.stem.isdigit() else -1, path.stem)


@cache
def _city_map(path: Path) -> VectorMap:
    return read_vector_map(path)


@cache
def _raster(folder: Path, city: str) -> DrivableRaster | None:
    return read_drivable_raster(folder, city)
