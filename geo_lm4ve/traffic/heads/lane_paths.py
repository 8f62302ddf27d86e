"""Where a lane graph leads: projection onto lanes, paths through successors, walking along a path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from geo_lm4ve.traffic.batch import SceneBatch

MAX_PATHS = 32
"""Paths followed from one lane; an intersection has a handful."""


@dataclass(frozen=True)
class LaneGraph:
    """The lanes of one scene.

    Attributes:
        lanes: L centrelines (P_l, 2) in metres, P_l >= 2, in driving direction.
        successors: L lists of lanes that follow.
    """

    lanes: Sequence[Float[np.ndarray, "_ 2"]]
    successors: Sequence[Sequence[int]]

    @classmethod
    def of(cls, batch: SceneBatch, scene: int) -> LaneGraph:
        """The lanes of one scene of a batch, in its frame."""
        store = batch.graph["lane"]
        start, stop = int(store.ptr[scene]), int(store.ptr[scene + 1])
        points, valid = store.points[start:stop].cpu().double().numpy(), store.points_valid[start:stop].cpu().numpy()
        successors: list[list[int]] = [[] for _ in range(stop - start)]
        source, target = batch.graph["lane", "successor", "lane"].edge_index.cpu().numpy()
        here = (source >= start) & (source < stop)
        for lane, following in zip(source[here] - start, target[here] - start):
            successors[lane].append(int(following))
        return cls([line[known] for line, known in zip(points, valid)], successors)


@dataclass(frozen=True)
class Projections:
    """The nearest point of every lane to one position.

    Attributes:
        distance: (L,) metres to it.
        along: (L,) metres from the lane's start to it.
        direction: (L,) direction of the lane there [rad].
        foot: (L, 2) the point.
    """

    distance: Float[np.ndarray, " l"]
    along: Float[np.ndarray, " l"]
    direction: Float[np.ndarray, " l"]
    foot: Float[np.ndarray, "l 2"]


def project(position: Float[np.ndarray, " 2"], lanes: Sequence[Float[np.ndarray, "_ 2"]]) -> Projections:
    """Project a position onto every lane (its nearest point, ends included)."""
    lengths = np.array([len(lane) - 1 for lane in lanes])
    first = np.concatenate([lane[:-1] for lane in lanes])
    edge = np.concatenate([np.diff(lane, axis=0) for lane in lanes])
    size = np.linalg.norm(edge, axis=1)
    share = np.clip(((position - first) * edge).sum(1) / np.maximum(size, 1e-9) ** 2, 0, 1)
    foot = first + share[:, None] * edge
    distance = np.linalg.norm(position - foot, axis=1)
    starts = np.cumsum(lengths) - lengths
    nearest = np.array([start + distance[start : start + count].argmin() for start, count in zip(starts, lengths)])
    before = np.concatenate([[0.0], np.cumsum(size)])
    along = before[nearest] - before[starts] + (share * size)[nearest]
    return Projections(distance[nearest], along, np.arctan2(edge[nearest, 1], edge[nearest, 0]), foot[nearest])


def paths(graph: LaneGraph, lane: int, reach: float) -> Iterator[tuple[list[int], float]]:
    """Sequences of lanes from ``lane`` on that are at least ``reach`` metres long or end, and their shares.

    Where a lane has n successors, each gets 1/n of its share; no lane is entered twice.
    """
    stack: list[tuple[list[int], float, float]] = [([lane], 1.0, 0.0)]
    found = 0
    while stack and found < MAX_PATHS:
        path, share, length = stack.pop()
        length += _length(graph.lanes[path[-1]])
        ahead = [following for following in graph.successors[path[-1]] if following not in path]
        if length >= reach or not ahead:
            found += 1
            yield path, share
        else:
            stack += [([*path, following], share / len(ahead), length) for following in reversed(ahead)]


def walk(graph: LaneGraph, path: Sequence[int], distances: Float[np.ndarray, " f"]) -> Float[np.ndarray, "f 2"]:
    """Points at some distances [m] along a path; straight on beyond its end."""
    line = np.concatenate([graph.lanes[lane] for lane in path])
    size = np.linalg.norm(np.diff(line, axis=0), axis=1)
    kept: Int64[np.ndarray, " n"] = np.concatenate([[0], 1 + (size > 1e-6).nonzero()[0]])
    line, along = line[kept], np.concatenate([[0.0], np.cumsum(size[size > 1e-6])])
    if len(line) < 2:
        return np.repeat(line, len(distances), axis=0)
    points = np.stack([np.interp(distances, along, line[:, axis]) for axis in (0, 1)], axis=1)
    last = (line[-1] - line[-2]) / (along[-1] - along[-2])
    return points + np.maximum(distances - along[-1], 0)[:, None] * last


def _length(lane: Float[np.ndarray, "_ 2"]) -> float:
    return float(np.linalg.norm(np.diff(lane, axis=0), axis=1).sum())
