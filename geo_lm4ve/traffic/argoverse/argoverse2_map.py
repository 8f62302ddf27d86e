"""Argoverse 2 maps: the json of a scenario as a vector map, and its surfaces (drivable area, crossings, boundaries)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.reading import Fields, json_object, reader
from geo_lm4ve.traffic.batch import LaneType
from geo_lm4ve.traffic.records.plausible import FARTHEST, plausible
from geo_lm4ve.traffic.records.vector_map import Lane, VectorMap

LANE_TYPES = {"VEHICLE": LaneType.vehicle, "BIKE": LaneType.bike, "BUS": LaneType.bus}
Polyline = NDArray[np.float64]


@reader(DataError, "a map of Argoverse 2")
def read_vector_map(path: Path) -> VectorMap:
    """The lanes of a scenario, with the centrelines of the file (2 to 33 points). Argoverse 2 has no turn directions.

    Raises:
        DataError: the file is cut off, not JSON or not a map of Argoverse 2.
    """
    return VectorMap.of([_lane(lane) for lane in _members(_content(path), "lane_segments")], str(path))


@dataclass(frozen=True)
class MapSurfaces:
    """What pictures show and drivable-area compliance asks for; (P, 2) float64 city coordinates [m] throughout.

    Attributes:
        drivable: outlines, not closed.
        crossings: pedestrian crossings as quadrilaterals.
        boundaries: left and right boundaries of all lanes.
    """

    drivable: list[Polyline]
    crossings: list[Polyline]
    boundaries: list[Polyline]

    def contains(self, points: Float[np.ndarray, "*n 2"]) -> Bool[np.ndarray, "*n"]:
        """Whether city positions lie in a drivable area (even-odd rule per outline)."""
        flat = points.reshape(-1, 2)
        inside = np.zeros(len(flat), dtype=bool)
        for outline in self.drivable:
            inside |= _in_polygon(flat, outline)
        return inside.reshape(points.shape[:-1])


@reader(DataError, "a map of Argoverse 2")
def read_surfaces(path: Path) -> MapSurfaces:
    """Drivable area, crossings and lane boundaries of a scenario.

    Raises:
        DataError: the file is cut off, not JSON or not a map of Argoverse 2.
    """
    content = _content(path)
    crossings = _members(content, "pedestrian_crossings")
    return MapSurfaces(
        drivable=[_polyline(area, "area_boundary", 3) for area in _members(content, "drivable_areas")],
        crossings=[np.concatenate([_polyline(one, "edge1"), _polyline(one, "edge2")[::-1]]) for one in crossings],
        boundaries=[
            _polyline(lane, f"{side}_lane_boundary")
            for lane in _members(content, "lane_segments")
            for side in ("left", "right")
        ],
    )


def _content(path: Path) -> Fields:
    return Fields(json_object(path.read_bytes()))


def _members(content: Fields, section: str) -> Iterator[Fields]:
    """The lanes, areas or crossings of a map."""
    members = content.fields(section)
    return (members.fields(name) for name in members.values)


def _polyline(holder: Fields, key: str, least: int = 2) -> Polyline:
    """The points of a line; ValueError where they are fewer than ``least``, or no numbers that a city can have."""
    values = [(point["x"], point["y"]) for point in _list(holder, key)]
    if not set(map(type, chain.from_iterable(values))) <= {int, float}:
        raise ValueError(f"{holder.prefix}{key} has coordinates that are no numbers")
    points = np.array(values, dtype=np.float64).reshape(-1, 2)
    if len(points) < least or not plausible(points).all():
        raise ValueError(f"{holder.prefix}{key} needs at least {least} finite points, within {FARTHEST:g} m")
    return points


def _lane(lane: Fields) -> Lane:
    if not isinstance(inside := lane["is_intersection"], bool):
        raise ValueError(f"{lane.prefix}is_intersection is neither true nor false")
    if (kind := lane.text("lane_type")) not in LANE_TYPES:
        raise ValueError(f"{lane.prefix}lane_type is {kind!r:.60}; known: {', '.join(LANE_TYPES)}")
    return Lane(
        lane_id=lane.whole("id", -(2**63)),
        centreline=_polyline(lane, "centerline"),
        intersection=inside,
        lane_type=LANE_TYPES[kind],
        links={
            "successor": _ids(lane, "successors"),
            "predecessor": _ids(lane, "predecessors"),
            **{side: _neighbour(lane, f"{side}_neighbor_id") for side in ("left", "right")},
        },
    )


def _ids(lane: Fields, key: str) -> list[int]:
    ids = _list(lane, key)
    if not set(map(type, ids)) <= {int}:
        raise ValueError(f"{lane.prefix}{key} holds something else than ids")
    return ids


def _neighbour(lane: Fields, key: str) -> list[int]:
    """The lane beside a lane, if there is one."""
    return [] if lane[key] is None else [lane.whole(key, -(2**63))]


def _list(holder: Fields, key: str) -> list[Any]:
    if not isinstance(value := holder[key], list):
        raise ValueError(f"{holder.prefix}{key} is no list")
    return value


def _in_polygon(points: NDArray[np.float64], outline: Polyline) -> NDArray[np.bool_]:
    """Even-odd rule: count the edges that a ray to +x crosses."""
    ends = np.roll(outline, -1, axis=0)
    x, y = points[:, :1], points[:, 1:]
    straddles = (outline[:, 1] > y) != (ends[:, 1] > y)
    rise = np.where(ends[:, 1] == outline[:, 1], 1.0, ends[:, 1] - outline[:, 1])
    crossing = outline[:, 0] + (y - outline[:, 1]) / rise * (ends[:, 0] - outline[:, 0])
    return (straddles & (x < crossing)).sum(1) % 2 == 1
