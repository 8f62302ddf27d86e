"""Argoverse 1 forecasting sequences (v1.1): one csv file -> Recording. No argoverse-api needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.reading import reader
from geo_lm4ve.traffic.batch import AgentType, TrackCategory
from geo_lm4ve.traffic.records.motion import last_heading, last_velocity
from geo_lm4ve.traffic.records.plausible import FARTHEST, plausible
from geo_lm4ve.traffic.records.recording import Recording, check_target, fill_tracks, target_first

HISTORY, FUTURE = 20, 30
"""Steps observed, steps to predict."""

COLUMNS = {
    "TIMESTAMP": pa.float64(), "TRACK_ID": pa.string(), "OBJECT_TYPE": pa.string(), "X": pa.float64(),
    "Y": pa.float64(), "CITY_NAME": pa.string(),
}  # fmt: skip
STEP_SECONDS = (0.05, 0.2)
"""Time from one step to the next: 0.1 s in the files; outside of this a TIMESTAMP is damaged, or steps are missing."""
ROLES = {"AGENT": AgentType.agent, "AV": AgentType.av, "OTHERS": AgentType.others}


@reader(DataError, "a csv file of Argoverse 1")
def read_sequence(path: Path) -> Recording:
    """One sequence; its future is withheld where the file ends after 20 steps, as in the test split.

    The files have no heading and no velocity: both are derived from the observed positions
    (``records/motion.py``). The recording car's row (``AV``) may be absent.

    Raises:
        DataError: the file is cut off or malformed; there is not exactly one AGENT, or steps of it are missing; steps
            are not 0.1 s apart; a position is not finite or its track absurdly fast; an OBJECT_TYPE is not known; the
            file names several cities.
    """
    columns = _read_columns(path)
    stamps, step = _steps(columns["TIMESTAMP"], path)
    ids, track = _encoded(columns["TRACK_ID"])
    roles = _roles(columns["OBJECT_TYPE"], track, len(ids), path)
    order = target_first(np.arange(len(ids)), _agent(roles, path))
    xy = np.stack([columns["X"].to_numpy(), columns["Y"].to_numpy()], axis=1)
    positions, valid = fill_tracks(xy, track, step, len(ids), HISTORY + FUTURE, str(path))
    positions, valid, roles = positions[order], valid[order], roles[order]
    check_target(valid, HISTORY, "the AGENT", str(path))
    times = stamps[:HISTORY] - stamps[0]
    seen, known = positions[:, :HISTORY], valid[:, :HISTORY]
    velocity = last_velocity(seen, known, times)
    if not plausible(velocity).all():
        raise DataError(f"{path}: a track moves at over {FARTHEST:g} m/s; get the file again")
    cars = (roles == AgentType.av).nonzero()[0]
    return Recording(
        scene_id=path.stem,
        city=_city(columns["CITY_NAME"], path),
        history=HISTORY,
        track_ids=[ids[row] for row in order],
        types=roles,
        categories=np.full(len(ids), TrackCategory.none, dtype=np.int8),
        positions=positions,
        valid=valid,
        heading=last_heading(seen, known),
        velocity=velocity,
        times=times,
        ego=int(cars[0]) if len(cars) else -1,
    )


def _read_columns(path: Path) -> dict[str, pa.ChunkedArray]:
    table = pyarrow.csv.read_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(use_threads=False),
        convert_options=pyarrow.csv.ConvertOptions(column_types=COLUMNS),
    )
    if table.column_names != list(COLUMNS):
        raise DataError(f"{path}: the header must be {','.join(COLUMNS)}, it is {','.join(table.column_names)}")
    return dict(zip(table.column_names, table.columns))


def _steps(column: pa.ChunkedArray, path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distinct time stamps [s], ascending, and each row's place among them."""
    stamps, step = np.unique(column.to_numpy(), return_inverse=True)
    if len(stamps) not in (HISTORY, HISTORY + FUTURE) or not np.isfinite(stamps).all():
        raise DataError(
            f"{path}: {len(stamps)} different TIMESTAMPs; a sequence has {HISTORY + FUTURE} steps ({HISTORY} with the "
            "future withheld), so the file is cut off or not a forecasting sequence"
        )
    apart = np.diff(stamps)
    if apart.min() < STEP_SECONDS[0] or apart.max() > STEP_SECONDS[1]:
        raise DataError(
            f"{path}: TIMESTAMPs are {apart.min():.3g} to {apart.max():.3g} s apart; the steps of a sequence are 0.1 s "
            "apart, get the file again"
        )
    return stamps, step


def _encoded(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int64]]:
    """Distinct strings in order of appearance, and each row's place among them."""
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def _roles(column: pa.ChunkedArray, track: NDArray[np.int64], tracks: int, path: Path) -> NDArray[np.int8]:
    names, row_role = _encoded(column)
    if unknown := [name for name in names if name not in ROLES]:
        raise DataError(f"{path}: unknown OBJECT_TYPE {unknown[0]!r}; known: {', '.join(ROLES)}")
    values = np.array([ROLES[name] for name in names], dtype=np.int8)[row_role]
    roles = np.empty(tracks, dtype=np.int8)
    roles[track] = values
    if not (roles[track] == values).all():
        raise DataError(f"{path}: a TRACK_ID has rows of different OBJECT_TYPEs")
    return roles


def _agent(roles: NDArray[np.int8], path: Path) -> int:
    agents = (roles == AgentType.agent).nonzero()[0]
    if len(agents) != 1:
        raise DataError(f"{path}: a sequence has exactly one AGENT track, this one has {len(agents)}")
    if (roles == AgentType.av).sum() > 1:
        raise DataError(f"{path}: a sequence has at most one AV track, this one has {(roles == AgentType.av).sum()}")
    return int(agents[0])


def _city(column: pa.ChunkedArray, path: Path) -> str:
    cities = column.unique().to_pylist()
    if len(cities) != 1 or not cities[0]:
        raise DataError(f"{path}: a sequence lies in one city, this file names {cities}")
    return str(cities[0])
