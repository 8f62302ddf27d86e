"""Argoverse 2 motion forecasting scenarios: one parquet file -> Recording, by columns and without the av2 package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet
from numpy.typing import NDArray

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.batch import HZ, AgentType, TrackCategory
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


def read_scenario(path: Path) -> Recording:
    """One scenario; its future is withheld where the file ends after 50 steps. The target is the focal track.

    Raises:
        DataError: the file is cut off or malformed; the focal track is missing or lacks steps; a value is not finite;
            an object type or category is not known.
    """
    numbers, texts = _read_columns(path)
    step = numbers["timestep"]
    if not len(step) or step.min() < 0 or step.max() >= HISTORY + FUTURE:
        raise DataError(f"{path}: timesteps must lie in 0..{HISTORY + FUTURE - 1}; the file is not a scenario")
    ids, track = texts["track_id"]
    focal = _constant(texts["focal_track_id"], "focal_track_id", path)
    if focal not in ids:
        raise DataError(f"{path}: the focal track {focal!r} has no rows; get the file again")
    order = target_first(np.arange(len(ids)), ids.index(focal))
    types = _per_track(_type_values(texts["object_type"], path), track, len(ids), "object_type", path)
    categories = _per_track(_checked_categories(numbers["object_category"], path), track, len(ids), "category", path)
    values = np.stack([numbers[name] for name in NUMBERS if name not in ("timestep", "object_category")], axis=1)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(1))[0])
        raise DataError(f"{path}: data row {row + 1} has a position, heading or velocity that is not finite")
    positions, valid = fill_tracks(values[:, :2], track, step, len(ids), HISTORY + FUTURE, str(path))
    positions, valid = positions[order], valid[order]
    check_target(valid, HISTORY, f"the focal track {focal}", str(path))
    state = _last_observed(values[:, 2:], track, step, len(ids))[order]
    return Recording(
        scene_id=_constant(texts["scenario_id"], "scenario_id", path),
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


Encoded = tuple[list[str], NDArray[np.int64]]


def _read_columns(path: Path) -> tuple[dict[str, NDArray], dict[str, Encoded]]:
    """Numeric columns, and text columns as (distinct values in order of appearance, place of each row)."""
    try:
        table = pyarrow.parquet.read_table(path, columns=[*NUMBERS, *TEXTS], use_threads=False, memory_map=False)
        columns = {name: table[name].combine_chunks() for name in table.column_names}
        numbers = {name: columns[name].cast(kind).to_numpy(zero_copy_only=False) for name, kind in NUMBERS.items()}
        encoded = {name: columns[name].cast(pa.string()).dictionary_encode() for name in TEXTS}
    except (pa.ArrowException, OSError, KeyError) as error:
        raise DataError(f"{path} is cut off or not a scenario of Argoverse 2 ({error}); get it again") from error
    texts = {name: (code.dictionary.to_pylist(), code.indices.to_numpy()) for name, code in encoded.items()}
    return numbers, {name: (names, rows.astype(np.int64)) for name, (names, rows) in texts.items()}


def _constant(column: Encoded, name: str, path: Path) -> str:
    if len(column[0]) != 1:
        raise DataError(f"{path}: {name} must be the same in all rows, it is {column[0][:5]}")
    return column[0][0]


def _type_values(column: Encoded, path: Path) -> NDArray[np.int8]:
    names, rows = column
    if unknown := [name for name in names if name not in TYPES]:
        raise DataError(f"{path}: unknown object_type {unknown[0]!r}; known: {', '.join(TYPES)}")
    return np.array([TYPES[name] for name in names], dtype=np.int8)[rows]


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
