"""The Argoverse 2 submission: a parquet table with one row per track and mode.

Columns ``scenario_id``, ``track_id``, ``probability``, ``predicted_trajectory_x`` and ``predicted_trajectory_y`` (60
values each). A scenario's probabilities belong to its worlds: mode k of all its tracks is one joint future, so the
order of modes within a track is meant. Source: av2-api ``eval/submission.py`` (``ChallengeSubmission``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float, Int64

from geo_lm4ve.files import atomic_path
from geo_lm4ve.parquet import NUMBERS, Texts, read_columns, texts_of
from geo_lm4ve.reading import reader
from geo_lm4ve.traffic.metrics.probabilities import ForecastError
from geo_lm4ve.traffic.submissions.forecasts import Forecasts, checked, describe, names

STEPS = 60
"""Future frames per trajectory."""
X, Y = "predicted_trajectory_x", "predicted_trajectory_y"
SCHEMA = pa.schema(
    {
        "scenario_id": pa.string(),
        "track_id": pa.string(),
        "probability": pa.float64(),
        X: NUMBERS,
        Y: NUMBERS,
    }
)


def write_argoverse2(path: Path | str, forecasts: Forecasts) -> None:
    """Write the table as av2's ``ChallengeSubmission.to_parquet`` would.

    Args:
        path: file to write; it is whole or absent.
        forecasts: F = 60, with track ids and probabilities.

    Raises:
        ForecastError: another horizon, no track ids or no probabilities.
    """
    count, modes, steps = forecasts.positions.shape[:3]
    if steps != STEPS:
        raise ForecastError(f"{path}: the Argoverse 2 file holds {STEPS} steps per trajectory, these have {steps}")
    if forecasts.tracks is None or forecasts.probabilities is None:
        raise ForecastError(f"{path}: the Argoverse 2 file names tracks and probabilities; these forecasts do not")
    offsets = pa.array(np.arange(count * modes + 1, dtype=np.int32) * steps)
    x, y = (
        pa.ListArray.from_arrays(offsets, pa.array(forecasts.positions[..., axis].astype(np.float64).reshape(-1)))
        for axis in (0, 1)
    )
    columns = [
        pa.array(np.repeat(np.array(forecasts.scenes, dtype=object), modes)),
        pa.array(np.repeat(np.array(forecasts.tracks, dtype=object), modes)),
        pa.array(forecasts.probabilities.astype(np.float64).reshape(-1)),
        x,
        y,
    ]
    table = pa.table(columns, schema=SCHEMA)
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary)


@reader(ForecastError, "a submission of Argoverse 2", "copy or write it again")
def read_argoverse2(path: Path | str) -> Forecasts:
    """Read the table; rows may come in any order, those of one track keep theirs.

    Raises:
        ForecastError: a truncated file, missing columns or values, another horizon, tracks with different numbers of
            modes, or values that are not finite or huge.
    """
    table = _read_table(Path(path))
    scenarios, tracks = (texts_of(table[name]) for name in ("scenario_id", "track_id"))
    x, y = (_trajectories(table[name], name, scenarios, path) for name in (X, Y))
    probabilities = table["probability"].to_numpy()
    order, keys = _group(scenarios, tracks)
    modes = _modes_per_track(order, keys, path)
    starts = order.reshape(-1, modes)
    return checked(
        [keys[row][0] for row in starts[:, 0]],
        [keys[row][1] for row in starts[:, 0]],
        np.stack([x, y], axis=-1)[starts],
        probabilities[starts],
    )


def _read_table(path: Path) -> dict[str, pa.Array]:
    if not path.is_file():
        raise ForecastError(f"no file {path}" + (" (it is a folder; name the file in it)" if path.is_dir() else ""))
    table = read_columns(path, dict(zip(SCHEMA.names, SCHEMA.types)))
    if not len(table["probability"]):
        raise ForecastError(f"{path} has no rows")
    return table


def _trajectories(column: pa.ListArray, name: str, scenarios: Texts, path: Path | str) -> Float[np.ndarray, "rows 60"]:
    lengths = np.diff(column.offsets.to_numpy())
    if (lengths != STEPS).any():
        row = int((lengths != STEPS).argmax())
        scenario = scenarios.names[scenarios.rows[row]]
        raise ForecastError(
            f"{path}: {name} must have {STEPS} values, row {row} (scenario {scenario}) has {lengths[row]}"
        )
    return column.flatten().to_numpy().reshape(-1, STEPS)


def _group(scenarios: Texts, tracks: Texts) -> tuple[Int64[np.ndarray, " rows"], list[tuple[str, str]]]:
    """Rows sorted by track (tracks by first appearance, a track's rows in file order), and each row's track."""
    keys = [(scenarios.names[s], tracks.names[t]) for s, t in zip(scenarios.rows.tolist(), tracks.rows.tolist())]
    first: dict[tuple[str, str], int] = {}
    number = np.array([first.setdefault(key, len(first)) for key in keys], dtype=np.int64)
    return np.argsort(number, kind="stable"), keys


def _modes_per_track(order: np.ndarray, keys: list[tuple[str, str]], path: Path | str) -> int:
    counts: dict[tuple[str, str], int] = {}
    for row in order:
        counts[keys[row]] = counts.get(keys[row], 0) + 1
    usual = int(np.bincount(list(counts.values())).argmax())
    if odd := [f"{describe(key)} ({count})" for key, count in counts.items() if count != usual]:
        raise ForecastError(
            f"{path}: all tracks must have the same number of modes; most have {usual}, but {names(odd)}: a track "
            "occurs twice, or rows are missing"
        )
    return usual
