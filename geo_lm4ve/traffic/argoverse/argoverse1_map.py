"""Argoverse 1 maps: the vector map of a city (XML) and its raster of drivable area (npy)."""

from __future__ import annotations

import glob
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.batch import Turn
from geo_lm4ve.traffic.records.vector_map import Lane, VectorMap
from geo_lm4ve.words import component

TURNS = {"NONE": Turn.none, "LEFT": Turn.left, "RIGHT": Turn.right}
BOOLEANS = {"True": True, "False": False}
RELATIONS = {"successor": "successor", "predecessor": "predecessor", "l_neighbor_id": "left", "r_neighbor_id": "right"}


VECTOR_MAP = "pruned_argoverse_{city}_*_vector_map.xml"
RASTERS = ("{city}_*_driveable_area_mat_2019_05_28.npy", "{city}_*_npyimage_to_city_se2_2019_05_28.npy")


def vector_map_path(folder: Path, city: str) -> Path:
    """The vector map of a city (Argoverse 1: PIT, 10314, and MIA, 10316).

    Raises:
        DataError: there is none.
    """
    paths = sorted(folder.glob(_pattern(VECTOR_MAP, city)))
    if not paths:
        known = [path.name.split("_")[2] for path in sorted(folder.glob(VECTOR_MAP.format(city="*")))]
        raise DataError(
            f"there is no map of the city {city!r} in {folder}, only of {', '.join(known) or 'none'}; "
            "hd_maps.tar.gz of Argoverse 1 holds those of PIT and MIA"
        )
    return paths[0]


def has_vector_map(folder: Path, city: str) -> bool:
    """Whether a folder holds the vector map of a city."""
    return any(folder.glob(_pattern(VECTOR_MAP, city)))


def _pattern(files: str, city: str) -> str:
    """The pattern of a city's files: a city called ``*`` or ``../x`` is no other city's."""
    return files.format(city=glob.escape(component(city)))


def read_vector_map(path: Path) -> VectorMap:
    """A city's lanes.

    Raises:
        DataError: the file is cut off, not XML or not a vector map.
    """
    try:
        root = ElementTree.parse(path).getroot()
        nodes = {node.attrib["id"]: (float(node.attrib["x"]), float(node.attrib["y"])) for node in root.iter("node")}
        lanes = [_lane(way, nodes) for way in root.iter("way")]
    except (ElementTree.ParseError, OSError) as error:
        raise DataError(f"{path} is cut off or not XML ({error}); get it again") from error
    except (KeyError, IndexError, ValueError) as error:
        raise DataError(f"{path} is not an Argoverse 1 vector map ({error!r}); get it again") from error
    if not lanes:
        raise DataError(f"{path} holds no lanes (<way>): it is not an Argoverse 1 vector map; get it again")
    return VectorMap.of(lanes, str(path))


def _lane(way: ElementTree.Element, nodes: dict[str, tuple[float, float]]) -> Lane:
    tags: dict[str, list[str]] = defaultdict(list)
    centreline = []
    for part in way:
        if part.tag == "nd":
            centreline.append(nodes[part.attrib["ref"]])
        else:
            tags[part.attrib["k"]].append(part.attrib["v"])
    return Lane(
        lane_id=int(way.attrib["lane_id"]),
        centreline=np.array(centreline, dtype=np.float64).reshape(-1, 2),
        turn=TURNS[tags["turn_direction"][0]],
        intersection=BOOLEANS[tags["is_intersection"][0]],
        control=BOOLEANS[tags["has_traffic_control"][0]],
        links={name: [int(i) for i in tags[tag] if i != "None"] for tag, name in RELATIONS.items()},
    )


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
        cells = (np.round(points) @ self.to_image[:2, :2].T + self.to_image[:2, 2]).astype(np.int64)
        column, row = cells[..., 0], cells[..., 1]
        inside = (row > 0) & (row < self.pixels.shape[0]) & (column > 0) & (column < self.pixels.shape[1])
        values = self.pixels[np.where(inside, row, 0), np.where(inside, column, 0)]
        return inside & (values == 1)


def read_drivable_raster(folder: Path, city: str) -> DrivableRaster | None:
    """The drivable area of a city, or None where the rasters are not there.

    Raises:
        DataError: a file is damaged.
    """
    paths = [path for pattern in RASTERS for path in sorted(folder.glob(_pattern(pattern, city)))[:1]]
    if len(paths) < len(RASTERS):
        return None
    try:
        pixels, to_image = (np.load(path, allow_pickle=False) for path in paths)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{paths[0]} or {paths[1].name} is damaged ({error}); get them again") from error
    if pixels.ndim != 2 or to_image.shape != (3, 3):
        raise DataError(f"{paths[0]} must be a 2D raster and {paths[1].name} a 3x3 transform; get them again")
    return DrivableRaster(pixels, to_image)
