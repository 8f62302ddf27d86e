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
from geo_lm4ve.traffic.metrics.probabilities import ForecastError
from geo_lm4ve.traffic.submissions.forecasts import Forecasts, describe, names

STEPS = 60
"""Future frames per trajectory."""
X, Y = "predicted_trajectory_x", "predicted_trajectory_y"
SCHEMA = pa.schema(
    {
        "scenario_id": pa.string(),
        "track_id": pa.string(),
        "probability": pa.float64(),
        X: pa.list_(pa.float64()),
        Y: pa.list_(pa.float64()),
    }
)
COLUMNS = tuple(SCHEMA.names)


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


def read_argoverse2(path: Path | str) -> Forecasts:
    """Read the table; rows may come in any order, those of one track keep theirs.

    Raises:
        ForecastError: a truncated file, missing columns or values, another horizon, tracks with different numbers of
            modes, or values that are not finite.
    """
    table = _read_table(Path(path))
    x, y = (_trajectories(table, name, path) for name in (X, Y))
    probabilities = table["probability"].to_numpy().astype(np.float64)
    order, keys = _group(table)
    modes = _modes_per_track(order, keys, path)
    starts = order.reshape(-1, modes)
    return Forecasts(
        [keys[row][0] for row in starts[:, 0]],
        [keys[row][1] for row in starts[:, 0]],
        np.stack([x, y], axis=-1)[starts],
        probabilities[starts],
    )


def _read_table(path: Path) -> pa.Table:
    if not path.is_file():
        raise ForecastError(f"no file {path}" + (" (it is a folder; name the file in it)" if path.is_dir() else ""))
    try:
        present = pq.read_schema(path).names
        if missing := [name for name in COLUMNS if name not in present]:
            raise ForecastError(f"{path} lacks the columns {names(missing)}; it has: {names(present, 20)}")
        table = pq.read_table(path, columns=list(COLUMNS)).cast(SCHEMA)
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise ForecastError(f"{path}: a column has another type than a submission's ({error})") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise ForecastError(f"{path} is not a whole parquet file ({error}); copy or write it again") from error
    for name in COLUMNS:
        if table[name].null_count:
            raise ForecastError(f"{path}: column {name} has {table[name].null_count} empty values")
    if not table.num_rows:
        raise ForecastError(f"{path} has no rows")
    return table


def _trajectories(table: pa.Table, name: str, path: Path | str) -> Float[np.ndarray, "rows 60"]:
    column = table[name].combine_chunks()
    lengths = np.diff(column.offsets.to_numpy())
    if (lengths != STEPS).any():
        row = int((lengths != STEPS).argmax())
        scenario = table["scenario_id"][row]
        raise ForecastError(
            f"{path}: {name} must have {STEPS} values, row {row} (scenario {scenario}) has {lengths[row]}"
        )
    return column.flatten().to_numpy().astype(np.float64).reshape(-1, STEPS)


def _group(table: pa.Table) -> tuple[Int64[np.ndarray, " rows"], list[tuple[str, str]]]:
    """Rows sorted by track (tracks by first appearance, a track's rows in file order), and each row's track."""
    keys = list(zip(table["scenario_id"].to_pylist(), table["track_id"].to_pylist()))
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
