"""Recordings and their maps -> ScenePack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.cache.pack import ScenePack, encode_texts
from geo_lm4ve.traffic.records.recording import Recording
from geo_lm4ve.traffic.records.vector_map import VectorMap

REACH = 200.0
"""Lanes whose box overlaps the square of this half side [m] around the target are kept with a scene."""


@dataclass(frozen=True)
class Scene:
    """A recording and the map it drives on."""

    recording: Recording
    map: VectorMap


def check_map(scene: Scene) -> None:
    """The map must be that of the recording.

    Raises:
        DataError: the map has lanes, but none near the target.
    """
    if len(scene.map) and not len(scene.map.within(scene.recording.reference, REACH)):
        x, y = scene.recording.reference
        raise DataError(
            f"scene {scene.recording.scene_id}: no lane of {scene.map.name} lies within {REACH:g} m of the target at "
            f"({x:.1f}, {y:.1f}), so this is the map of another place; put its own beside it"
        )


def pack_scenes(scenes: Sequence[Scene]) -> ScenePack:
    """Flat arrays of some scenes. Tracks that are never observed are left out: no forecast may know them."""
    recordings = [scene.recording for scene in scenes]
    kept = [recording.observed for recording in recordings]
    texts = {
        "scene_id": [recording.scene_id for recording in recordings],
        "city": [recording.city for recording in recordings],
        "track_id": [i for recording, keep in zip(recordings, kept) for i, k in zip(recording.track_ids, keep) if k],
    }
    arrays: dict[str, Tensor] = {}
    for name, values in texts.items():
        arrays[name], arrays[f"{name}_ptr"] = encode_texts(values)
    arrays |= _agents(recordings, kept)
    arrays |= _lanes(scenes)
    return ScenePack.of_arrays(arrays)


def _agents(recordings: Sequence[Recording], kept: Sequence[NDArray[np.bool_]]) -> dict[str, Tensor]:
    pairs = list(zip(recordings, kept))
    valid = np.concatenate([recording.valid[keep] for recording, keep in pairs])
    relative = [(recording.positions - recording.reference)[keep] for recording, keep in pairs]

    def per_agent(name: str) -> NDArray:
        return np.concatenate([getattr(recording, name)[keep] for recording, keep in pairs])

    return {
        "reference": torch.from_numpy(np.stack([recording.reference for recording in recordings])),
        "times": torch.from_numpy(np.stack([recording.times for recording in recordings]).astype(np.float32)),
        "agent_ptr": _offsets([int(keep.sum()) for keep in kept]),
        "agent_type": torch.from_numpy(per_agent("types")),
        "category": torch.from_numpy(per_agent("categories")),
        "is_ego": torch.from_numpy(
            np.concatenate([(np.arange(len(keep)) == recording.ego)[keep] for recording, keep in pairs])
        ),
        "heading": torch.from_numpy(per_agent("heading").astype(np.float32)),
        "velocity": torch.from_numpy(per_agent("velocity").astype(np.float32)),
        "valid_bits": torch.from_numpy(np.packbits(valid, axis=1, bitorder="little")),
        "positions": torch.from_numpy(np.concatenate(relative)[valid].astype(np.float32)),
    }


def _lanes(scenes: Sequence[Scene]) -> dict[str, Tensor]:
    """The lane table holds every lane near some scene once; a scene names the lanes that are near it."""
    maps = list({id(scene.map): scene.map for scene in scenes}.values())
    near = [scene.map.within(scene.recording.reference, REACH) for scene in scenes]
    tables, views, first = [], dict[int, list[NDArray[np.int64]]](), 0
    for vector_map in maps:
        mine = [rows for scene, rows in zip(scenes, near) if scene.map is vector_map]
        used = np.unique(np.concatenate(mine))
        views[id(vector_map)] = [np.searchsorted(used, rows) + first for rows in mine]
        tables.append(_table(vector_map, used, first))
        first += len(used)
    ordered = [views[id(scene.map)].pop(0) for scene in scenes]
    joined = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    return {
        "lane_ptr": _offsets([len(view) for view in ordered]),
        "lane_view": torch.from_numpy(np.concatenate(ordered)),
        "point_ptr": _offsets(joined.pop("point_count")),
        "link_ptr": _offsets(joined.pop("link_count")),
        **{name: torch.from_numpy(values) for name, values in joined.items()},
    }


def _table(vector_map: VectorMap, used: NDArray[np.int64], first: int) -> dict[str, NDArray]:
    """The lanes ``used`` of a map as rows ``first``, ... of a table; links that leave them are dropped."""
    counts = np.diff(vector_map.ptr)[used]
    chosen = np.concatenate([np.arange(0), *(np.arange(*vector_map.ptr[row : row + 2]) for row in used)])
    anchor = vector_map.points[vector_map.ptr[:-1][used]]
    row_of = np.full(len(vector_map), -1)
    row_of[used] = np.arange(len(used))
    source, target, kind = vector_map.links.T
    inside = (row_of[source] >= 0) & (row_of[target] >= 0)
    return {
        "anchor": anchor,
        "attributes": vector_map.attributes[used],
        "point_count": counts,
        "points": (vector_map.points[chosen] - anchor.repeat(counts, axis=0)).astype(np.float32),
        "link_count": np.bincount(row_of[source[inside]], minlength=len(used)),
        "link_target": row_of[target[inside]] + first,
        "link_kind": kind[inside].astype(np.int8),
    }


def _offsets(lengths: Sequence[int] | NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64))]))
