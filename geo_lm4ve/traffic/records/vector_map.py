"""A vector map as arrays: lanes with centrelines, attributes and links. Both Argoverse layouts are read into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.batch import LANE_EDGES
from geo_lm4ve.traffic.records.plausible import FARTHEST, plausible

_INT64 = np.iinfo(np.int64)


@dataclass(frozen=True)
class Lane:
    """One lane as a map file has it.

    Attributes:
        lane_id: its id in the file.
        centreline: (P, 2) float64 city coordinates [m], P >= 2.
        turn, lane_type: values of Turn and LaneType.
        intersection, control: whether it lies in an intersection, has traffic control.
        links: ids of related lanes for each relation of LANE_EDGES.
    """

    lane_id: int
    centreline: NDArray[np.float64]
    turn: int = 0
    intersection: bool = False
    control: bool = False
    lane_type: int = 0
    links: dict[str, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class VectorMap:
    """L lanes with R centreline points and E links.

    Attributes:
        name: where the map comes from, for messages.
        lane_ids: (L,) int64.
        points: (R, 2) float64 city coordinates [m]; lane i has ``points[ptr[i]:ptr[i + 1]]``.
        ptr: (L + 1,) int64.
        boxes: (L, 4) float64 bounding boxes x0, y0, x1, y1 of the centrelines.
        attributes: (L, 4) int8: turn, intersection, control, lane_type.
        links: (E, 3) int64: lane row, row of its relative, relation (index in LANE_EDGES); sorted by lane.
        dangling: links to lanes that the map does not hold, left out of ``links``.
    """

    name: str
    lane_ids: NDArray[np.int64]
    points: NDArray[np.float64]
    ptr: NDArray[np.int64]
    boxes: NDArray[np.float64]
    attributes: NDArray[np.int8]
    links: NDArray[np.int64]
    dangling: int

    def __len__(self) -> int:
        """Number of lanes."""
        return len(self.lane_ids)

    def centreline(self, row: int) -> NDArray[np.float64]:
        """(P, 2) centreline of a lane."""
        return self.points[self.ptr[row] : self.ptr[row + 1]]

    def within(self, centre: NDArray[np.float64], half_side: float) -> NDArray[np.int64]:
        """Rows of the lanes whose box overlaps the square of that half side around ``centre``, ascending."""
        low, high = centre - half_side, centre + half_side
        boxes = self.boxes
        return np.flatnonzero((boxes[:, :2] <= high).all(1) & (boxes[:, 2:] >= low).all(1))

    @classmethod
    def of(cls, lanes: Sequence[Lane], name: str) -> VectorMap:
        """The map of these lanes.

        Raises:
            DataError: two lanes share an id or one does not fit into 64 bits; a centreline has fewer than two points or
                one that is not finite or farther than FARTHEST.
        """
        for lane in lanes:
            _check(lane, name)
        rows = {lane.lane_id: row for row, lane in enumerate(lanes)}
        if len(rows) != len(lanes):
            raise DataError(f"{name}: two lanes share one id; get the map again")
        ptr = np.cumsum([0, *(len(lane.centreline) for lane in lanes)], dtype=np.int64)
        points = np.concatenate([lane.centreline for lane in lanes]) if lanes else np.empty((0, 2))
        attributes = [(lane.turn, lane.intersection, lane.control, lane.lane_type) for lane in lanes]
        links, dangling = _links(lanes, rows)
        return cls(
            name=name,
            lane_ids=np.array(list(rows), dtype=np.int64),
            points=points,
            ptr=ptr,
            boxes=_boxes(points, ptr),
            attributes=np.array(attributes, dtype=np.int8).reshape(-1, 4),
            links=links,
            dangling=dangling,
        )


def _check(lane: Lane, name: str) -> None:
    if not _INT64.min <= lane.lane_id <= _INT64.max:
        raise DataError(f"{name}: a lane id has more than 64 bits; get the map again")
    if lane.centreline.ndim != 2 or len(lane.centreline) < 2 or not plausible(lane.centreline).all():
        raise DataError(
            f"{name}: lane {lane.lane_id} needs a centreline of at least two finite points, within {FARTHEST:g} m; get "
            "the map again"
        )


def _links(lanes: Sequence[Lane], rows: dict[int, int]) -> tuple[NDArray[np.int64], int]:
    found, dangling = [], 0
    for row, lane in enumerate(lanes):
        for kind, relation in enumerate(LANE_EDGES):
            for relative in lane.links.get(relation, ()):
                if relative in rows:
                    found.append((row, rows[relative], kind))
                else:
                    dangling += 1
    return np.array(found, dtype=np.int64).reshape(-1, 3), dangling


def _boxes(points: NDArray[np.float64], ptr: NDArray[np.int64]) -> NDArray[np.float64]:
    if not len(points):
        return np.empty((0, 4))
    return np.hstack([np.minimum.reduceat(points, ptr[:-1]), np.maximum.reduceat(points, ptr[:-1])])
