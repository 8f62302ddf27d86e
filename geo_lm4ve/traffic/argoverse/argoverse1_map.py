"""Argoverse 1 maps: the vector map of a city (XML) and its raster of drivable area (npy)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from geo_lm4ve.npy import read_npy
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.reading import reader
from geo_lm4ve.traffic.batch import Turn
from geo_lm4ve.traffic.records.plausible import plausible
from geo_lm4ve.traffic.records.vector_map import Lane, VectorMap

Value = TypeVar("Value")
TURNS = {"NONE": Turn.none, "LEFT": Turn.left, "RIGHT": Turn.right}
BOOLEANS = {"True": True, "False": False}
RELATIONS = {"successor": "successor", "predecessor": "predecessor", "l_neighbor_id": "left", "r_neighbor_id": "right"}

VECTOR_MAP = "pruned_argoverse_{city}_*_vector_map.xml"
RASTERS = ("{city}_*_driveable_area_mat_2019_05_28.npy", "{city}_*_npyimage_to_city_se2_2019_05_28.npy")

RIGID = 1e-3
"""How far a transform may be from a rotation: one metre is one pixel."""


def _files(folder: Path, pattern: str, city: str) -> list[Path]:
    """Files of a city, sorted. Its name comes from a csv file: it stands for itself, whatever it looks like."""
    name = re.compile(re.escape(pattern).replace(r"\*", "[^_]*").replace(r"\{city\}", re.escape(city)))
    return sorted(path for path in folder.glob(pattern.format(city="*")) if name.fullmatch(path.name))


def vector_map_path(folder: Path, city: str) -> Path:
    """The vector map of a city (Argoverse 1: PIT, 10314, and MIA, 10316).

    Raises:
        DataError: there is none.
    """
    paths = _files(folder, VECTOR_MAP, city)
    if not paths:
        known = [path.name.split("_")[2] for path in sorted(folder.glob(VECTOR_MAP.format(city="*")))]
        raise DataError(
            f"there is no map of the city {city!r} in {folder}, only of {', '.join(known) or 'none'}; "
            "hd_maps.tar.gz of Argoverse 1 holds those of PIT and MIA"
        )
    return paths[0]


def has_vector_map(folder: Path, city: str) -> bool:
    """Whether a folder holds the vector map of a city."""
    return bool(_files(folder, VECTOR_MAP, city))


@reader(DataError, "an Argoverse 1 vector map")
def read_vector_map(path: Path) -> VectorMap:
    """A city's lanes.

    Raises:
        DataError: the file is cut off, not XML or not a vector map.
    """
    root = ElementTree.parse(path).getroot()
    nodes: dict[str, tuple[float, float]] = {}
    for node in root.iter("node"):
        if (name := _attribute(node, "id")) in nodes:
            raise ValueError(f"two nodes have the id {name!r:.60}")
        nodes[name] = _number(_attribute(node, "x")), _number(_attribute(node, "y"))
    lanes = [_lane(way, nodes) for way in root.iter("way")]
    if not lanes:
        raise DataError(f"{path} holds no lanes (<way>): it is not an Argoverse 1 vector map; get it again")
    return VectorMap.of(lanes, str(path))


def _lane(way: ElementTree.Element, nodes: dict[str, tuple[float, float]]) -> Lane:
    tags: dict[str, list[str]] = defaultdict(list)
    centreline = []
    for part in way:
        if part.tag == "nd":
            if (node := _attribute(part, "ref")) not in nodes:
                raise ValueError(f"a lane refers to the node {node!r:.60}, which is not there")
            centreline.append(nodes[node])
        else:
            tags[_attribute(part, "k")].append(_attribute(part, "v"))
    return Lane(
        lane_id=_whole(_attribute(way, "lane_id")),
        centreline=np.array(centreline, dtype=np.float64).reshape(-1, 2),
        turn=_one_of(TURNS, tags, "turn_direction"),
        intersection=_one_of(BOOLEANS, tags, "is_intersection"),
        control=_one_of(BOOLEANS, tags, "has_traffic_control"),
        links={name: [_whole(i) for i in tags[tag] if i != "None"] for tag, name in RELATIONS.items()},
    )


def _attribute(element: ElementTree.Element, name: str) -> str:
    if (value := element.get(name)) is None:
        raise ValueError(f"a <{element.tag:.60}> lacks {name}")
    return value


def _one_of(values: Mapping[str, Value], tags: Mapping[str, list[str]], name: str) -> Value:
    """What the one tag of that name stands for."""
    found = tags.get(name, [])
    if len(found) != 1 or found[0] not in values:
        said = ", ".join(f"{value!r:.60}" for value in found[:2]) or "missing"
        raise ValueError(f"{name} of a lane must be one of {', '.join(values)}, it is {said}")
    return values[found[0]]


def _number(text: str) -> float:
    """A number, as programs write it: Python would take 1_0 and digits of other scripts too."""
    if not text.isascii() or "_" in text:
        raise ValueError(f"{text!r:.60} is no number")
    return float(text)


def _whole(text: str) -> int:
    """A whole number; see ``_number``."""
    if not text.isascii() or "_" in text:
        raise ValueError(f"{text!r:.60} is no whole number")
    return int(text)


@dataclass(frozen=True)
class DrivableRaster:
    """Drivable area of a city at 1 m per pixel.

    Attributes:
        pixels: (rows, columns), 1 where drivable.
        to_image: (3, 3) transform from city coordinates to (column, row). The file's name says the opposite.
    """

    pixels: NDArray[np.float64]
    to_image: NDArray[np.float64]

    def contains(self, points: Float[np.ndarray, "*n 2"]) -> Bool[np.ndarray, "*n"]:
        """Whether city positions are drivable, by the rule of the official evaluation.

        Positions are rounded to whole metres, transformed, truncated; row 0 and column 0 count as outside
        (``get_raster_layer_points_boolean`` in argoverse-api).
        """
        cells = np.trunc(np.round(points) @ self.to_image[:2, :2].T + self.to_image[:2, 2])
        rows, columns = self.pixels.shape
        inside = np.all((cells > 0) & (cells < np.array([columns, rows])), axis=-1)
        cells = np.where(inside[..., None], cells, 0).astype(np.int64)
        return inside & (self.pixels[cells[..., 1], cells[..., 0]] == 1)


def read_drivable_raster(folder: Path, city: str) -> DrivableRaster | None:
    """The drivable area of a city, or None where the rasters are not there.

    Raises:
        DataError: a file is damaged.
    """
    paths = [path for pattern in RASTERS for path in _files(folder, pattern, city)[:1]]
    if len(paths) < len(RASTERS):
        return None
    return DrivableRaster(read_pixels(paths[0]), read_transform(paths[1]))


@reader(DataError, "a raster of the drivable area")
def read_pixels(path: Path) -> NDArray[np.float64]:
    """The pixels of a raster (rows, columns); DataError for anything else."""
    pixels = read_npy(path)
    if pixels.ndim != 2:
        raise ValueError(f"it must have rows and columns, its shape is {pixels.shape}")
    return pixels


@reader(DataError, "the transform of a raster")
def read_transform(path: Path) -> NDArray[np.float64]:
    """The transform from city to pixel coordinates (3, 3), a rotation and a shift; DataError for anything else."""
    transform = read_npy(path).astype(np.float64)
    if transform.shape != (3, 3) or not plausible(transform).all():
        raise ValueError("it must be 3x3 finite numbers")
    turn = transform[:2, :2]
    if np.abs(turn @ turn.T - np.eye(2)).max() > RIGID or transform[2].tolist() != [0, 0, 1]:
        raise ValueError(f"it must be a rotation and a shift, it is {transform.tolist()}")
    return transform
