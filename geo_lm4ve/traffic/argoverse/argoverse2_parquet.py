"""Argoverse 2 motion forecasting scenarios: one parquet file -> Recording, by columns and without the av2 package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geo_lm4ve.parquet import Texts, read_columns, texts_of
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.reading import reader
from geo_lm4ve.traffic.batch import HZ, AgentType, TrackCategory
from geo_lm4ve.traffic.records.plausible import FARTHEST, plausible
from geo_lm4ve.traffic.records.recording import Recording, check_target, fill_tracks, target_first

HISTORY, FUTURE = 50, 60
"""Steps observed, steps to predict."""

EGO = "AV"
NUMBERS = {
    "timestep": pa.int64(), "object_category": pa.int64(), "position_x": pa.float64(), "position_y": pa.float64(),
    "heading": pa.float64(), "velocity_x": pa.float64(), "velocity_y": pa.float64(),
}  # fmt: skip
TEXTS = ("track_id", "object_type", "focal_track_id", "city", "scenario_id")
TYPES = {kind.name: kind for kind in AgentType if kind <= AgentType.riderless_bicycle}


@reader(DataError, "a scenario of Argoverse 2")
def read_scenario(path: Path) -> Recording:
    """One scenario; its future is withheld where the file ends after 50 steps. The target is the focal track.

    Raises:
        DataError: the file is cut off or malformed; the focal track is missing or lacks steps; a value is not finite or
            beyond FARTHEST; an object type or category is not known; the file is named after another scenario.
    """
    numbers, texts = _read_columns(path)
    step = numbers["timestep"]
    if not len(step) or step.min() < 0 or step.max() >= HISTORY + FUTURE:
        raise DataError(f"{path}: timesteps must lie in 0..{HISTORY + FUTURE - 1}; the file is not a scenario")
    ids, track = texts["track_id"].names, texts["track_id"].rows
    focal = _constant(texts["focal_track_id"], "focal_track_id", path)
    if focal not in ids:
        raise DataError(f"{path}: the focal track {focal!r} has no rows; get the file again")
    order = target_first(np.arange(len(ids)), ids.index(focal))
    types = _per_track(_type_values(texts["object_type"], path), track, len(ids), "object_type", path)
    categories = _per_track(_checked_categories(numbers["object_category"], path), track, len(ids), "category", path)
    values = np.stack([numbers[name] for name in NUMBERS if name not in ("timestep", "object_category")], axis=1)
    if not plausible(values).all():
        row = int(np.flatnonzero(~plausible(values).all(1))[0])
        raise DataError(
            f"{path}: data row {row + 1} has a position, heading or velocity that is not finite, or beyond {FARTHEST:g}"
        )
    positions, valid = fill_tracks(values[:, :2], track, step, len(ids), HISTORY + FUTURE, str(path))
    positions, valid = positions[order], valid[order]
    check_target(valid, HISTORY, f"the focal track {focal}", str(path))
    state = _last_observed(values[:, 2:], track, step, len(ids))[order]
    return Recording(
        scene_id=_scenario_id(texts["scenario_id"], path),
        city=_constant(texts["city"], "city", path),
        history=HISTORY,
        track_ids=[ids[row] for row in order],
        types=types[order],
        categories=categories[order],
        positions=positions,
        valid=valid,
        heading=state[:, 0],
        velocity=state[:, 1:],
        times=np.arange(HISTORY) / HZ,
        ego=int((order == ids.index(EGO)).nonzero()[0][0]) if EGO in ids else -1,
    )


def _read_columns(path: Path) -> tuple[dict[str, NDArray], dict[str, Texts]]:
    columns = read_columns(path, NUMBERS | dict.fromkeys(TEXTS, pa.string()))
    return {name: columns[name].to_numpy() for name in NUMBERS}, {name: texts_of(columns[name]) for name in TEXTS}


def _constant(column: Texts, name: str, path: Path) -> str:
    if len(column.names) != 1:
        raise DataError(f"{path}: {name} must be the same in all rows, it is {column.names[:5]}")
    return column.names[0]


def _scenario_id(column: Texts, path: Path) -> str:
    """The scenario's id, which the file is named after: scores and maps are found by either."""
    scenario = _constant(column, "scenario_id", path)
    if path.stem != f"scenario_{scenario}":
        raise DataError(f"{path}: the file holds the scenario {scenario!r:.60}; its name must be scenario_<id>.parquet")
    return scenario


def _type_values(column: Texts, path: Path) -> NDArray[np.int8]:
    if unknown := [name for name in column.names if name not in TYPES]:
        raise DataError(f"{path}: unknown object_type {unknown[0]!r}; known: {', '.join(TYPES)}")
    return np.array([TYPES[name] for name in column.names], dtype=np.int8)[column.rows]


def _checked_categories(values: NDArray[np.int64], path: Path) -> NDArray[np.int8]:
    if values.min() < TrackCategory.fragment or values.max() > TrackCategory.focal:
        raise DataError(f"{path}: object_category must lie in 0..3, it is in {values.min()}..{values.max()}")
    return values.astype(np.int8)


def _per_track(
    values: NDArray[np.int8], track: NDArray[np.int64], tracks: int, name: str, path: Path
) -> NDArray[np.int8]:
    result = np.empty(tracks, dtype=np.int8)
    result[track] = values
    if not (result[track] == values).all():
        raise DataError(f"{path}: a track has rows of different {name}")
    return result


def _last_observed(
    state: NDArray[np.float64], track: NDArray[np.int64], step: NDArray[np.int64], tracks: int
) -> NDArray[np.float64]:
    """(A, 3) heading and velocity at each track's last observed step; zero for tracks never observed."""
    dense = np.zeros((tracks, HISTORY, state.shape[1]))
    last = np.full(tracks, -1)
    seen = step < HISTORY
    dense[track[seen], step[seen]] = state[seen]
    np.maximum.at(last, track[seen], step[seen])
    return np.where(last[:, None] >= 0, dense[np.arange(tracks), last], 0.0)
