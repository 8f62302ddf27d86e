"""Argoverse 2 maps: the json of a scenario as a vector map, and its surfaces (drivable area, crossings, boundaries)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.batch import LaneType
from geo_lm4ve.traffic.records.vector_map import Lane, VectorMap

LANE_TYPES = {"VEHICLE": LaneType.vehicle, "BIKE": LaneType.bike, "BUS": LaneType.bus}
Polyline = NDArray[np.float64]


def read_vector_map(path: Path) -> VectorMap:
    """The lanes of a scenario, with the centrelines of the file (2 to 33 points). Argoverse 2 has no turn directions.

    Raises:
        DataError: the file is cut off, not JSON or not a map of Argoverse 2.
    """
    content = _read_json(path)
    try:
        lanes = [_lane(lane) for lane in content["lane_segments"].values()]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"{path} is not a map of Argoverse 2 ({error!r}); get it again") from error
    return VectorMap.of(lanes, str(path))


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


def read_surfaces(path: Path) -> MapSurfaces:
    """Drivable area, crossings and lane boundaries of a scenario.

    Raises:
        DataError: the file is cut off, not JSON or not a map of Argoverse 2.
    """
    content = _read_json(path)
    try:
        lanes = content["lane_segments"].values()
        return MapSurfaces(
            drivable=[_polyline(area["area_boundary"]) for area in content["drivable_areas"].values()],
            crossings=[
                np.concatenate([_polyline(crossing["edge1"]), _polyline(crossing["edge2"])[::-1]])
                for crossing in content["pedestrian_crossings"].values()
            ],
            boundaries=[_polyline(lane[f"{side}_lane_boundary"]) for lane in lanes for side in ("left", "right")],
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"{path} is not a map of Argoverse 2 ({error!r}); get it again") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, OSError) as error:
        raise DataError(f"{path} is cut off or not JSON ({error}); get it again") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} is not a map of Argoverse 2 (no object at its top); get it again")
    return content


def _polyline(points: list[dict[str, float]]) -> Polyline:
    return np.array([(point["x"], point["y"]) for point in points], dtype=np.float64).reshape(-1, 2)


def _lane(lane: dict[str, Any]) -> Lane:
    neighbours = {side: lane[f"{side}_neighbor_id"] for side in ("left", "right")}
    return Lane(
        lane_id=int(lane["id"]),
        centreline=_polyline(lane["centerline"]),
        intersection=bool(lane["is_intersection"]),
        lane_type=LANE_TYPES[lane["lane_type"]],
        links={
            "successor": lane["successors"],
            "predecessor": lane["predecessors"],
            **{side: [] if relative is None else [relative] for side, relative in neighbours.items()},
        },
    )


def _in_polygon(points: NDArray[np.float64], outline: Polyline) -> NDArray[np.bool_]:
    """Even-odd rule: count the edges that a ray to +x crosses."""
    ends = np.roll(outline, -1, axis=0)
    x, y = points[:, :1], points[:, 1:]
    straddles = (outline[:, 1] > y) != (ends[:, 1] > y)
    rise = np.where(ends[:, 1] == outline[:, 1], 1.0, ends[:, 1] - outline[:, 1])
    crossing = outline[:, 0] + (y - outline[:, 1]) / rise * (ends[:, 0] - outline[:, 0])
    return (straddles & (x < crossing)).sum(1) % 2 == 1
