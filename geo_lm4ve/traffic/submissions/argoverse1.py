"""The Argoverse 1 competition file: HDF5 with one table of rows (sequence, x, y[, probability]).

Source: argoverse-api ``argoverse/evaluation/competition_util.py`` (``generate_forecasting_h5``). No server takes this
file any more; people still exchange it.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Float

from geo_lm4ve.files import atomic_path
from geo_lm4ve.hdf5 import dataset, open_hdf5, values
from geo_lm4ve.reading import reader
from geo_lm4ve.traffic.metrics.probabilities import ForecastError
from geo_lm4ve.traffic.submissions.argoverse1_horizon import possible_steps
from geo_lm4ve.traffic.submissions.forecasts import Forecasts, checked, names

DATASET = "argoverse_forecasting"
LAST = 2.0**53
"""The largest number of a sequence: above, float64 skips some."""
STEPS = 30
"""Future frames per trajectory. The file does not state them: what it does tell is compared with this number."""


def write_argoverse1(path: Path | str, forecasts: Forecasts) -> None:
    """Write the table: float64, coordinates rounded to float32 as the official writer does, deflated.

    Args:
        path: file to write; it is whole or absent.
        forecasts: F = 30; scene names are sequence numbers.

    Raises:
        ForecastError: another horizon, or a scene name that is no number.
    """
    _check_steps(forecasts.positions.shape[2], path)
    if odd := [scene for scene in forecasts.scenes if not scene.isdigit()]:
        raise ForecastError(f"Argoverse 1 sequences are numbered, but there are scenes called {names(odd)}")
    modes = forecasts.positions.shape[1]
    columns = [
        np.repeat(np.array([int(scene) for scene in forecasts.scenes], dtype=np.float64), modes * STEPS),
        *forecasts.positions.astype(np.float32).reshape(-1, 2).T.astype(np.float64),
    ]
    if forecasts.probabilities is not None:
        columns.append(np.repeat(forecasts.probabilities.reshape(-1).astype(np.float64), STEPS))
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        table = np.stack(columns, axis=1)
        rows = min(len(table), 8192)
        file.create_dataset(DATASET, data=table, chunks=(rows, 1), compression="gzip", compression_opts=4, shuffle=True)


@reader(ForecastError, "a file of forecasts of Argoverse 1", "copy or write it again")
def read_argoverse1(path: Path | str) -> Forecasts:
    """Read the table; modes keep the order of the file.

    Raises:
        ForecastError: no such dataset, a truncated file, another horizon, sequences with different numbers of
            trajectories, a sequence that occurs twice, or values that are not finite or huge.
    """
    table = _read_table(Path(path))
    _check_finite(table)
    _check_horizon(table, path)
    blocks = table.reshape(-1, STEPS, table.shape[1])
    ids = _sequence_of_each_trajectory(blocks[:, :, 0], path)
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    scenes = [str(number) for number in ids[starts].astype(np.int64)]
    modes = _modes_per_sequence(np.diff(np.r_[starts, len(ids)]), scenes, path)
    probabilities = None
    if table.shape[1] == 4:
        probabilities = _probabilities(blocks[:, :, 3], ids, path).reshape(-1, modes)
    return checked(scenes, None, blocks[:, :, 1:3].reshape(len(scenes), modes, STEPS, 2), probabilities)


def _read_table(path: Path) -> Float[np.ndarray, "rows columns"]:
    if not path.is_file():
        raise ForecastError(f"no file {path}" + (" (it is a folder; name the file in it)" if path.is_dir() else ""))
    with open_hdf5(path) as file:
        found = dataset(file, DATASET)
        if len(found.shape) != 2 or found.shape[1] not in (3, 4) or not len(found):
            raise ForecastError(f"{path}: {DATASET} must be (rows, 3) or (rows, 4), it is {found.shape}")
        return values(found).astype(np.float64)


def _check_finite(table: Float[np.ndarray, "rows columns"]) -> None:
    """What is not finite, and numbers of sequences that are none, before anything is computed of them."""
    whole = np.isfinite(table).all(1) & (table[:, 0] >= 0) & (table[:, 0] <= LAST)
    if not whole.all():
        row = int((~whole).argmax())
        raise ValueError(
            f"row {row} of {DATASET} holds {table[row].tolist()}: a number of a sequence, then finite values"
        )


def _check_horizon(table: Float[np.ndarray, "rows columns"], path: Path | str) -> None:
    """Refuse trajectories of another length: read as 30 steps each they would be another number of modes."""
    starts = np.flatnonzero(np.r_[True, table[1:, 0] != table[:-1, 0]])
    rows = np.diff(np.r_[starts, len(table)])
    if (rows == rows[0]).all():
        found = possible_steps(table[:, 1:].reshape(len(rows), rows[0], -1))
        if found and STEPS not in found:
            raise ForecastError(
                f"{path}: Argoverse 1 scores {STEPS} steps per trajectory (3 s at 10 Hz), the {rows[0]} rows per "
                f"sequence of this file are trajectories of {' or '.join(map(str, found))} steps; write the file with "
                f"{STEPS} steps, one every 0.1 s, from the first one after the observed 2 s on"
            )
    if len(table) % STEPS:
        raise ForecastError(
            f"{path}: {len(table):,} rows are no multiple of {STEPS}: truncated, or another horizon; copy it again, or "
            f"write it with {STEPS} steps per trajectory"
        )


def _sequence_of_each_trajectory(column: np.ndarray, path: Path | str) -> Float[np.ndarray, " trajectories"]:
    """The sequence number, which must be whole and the same on all rows of a trajectory."""
    ids = column[:, 0]
    if (column != ids[:, None]).any() or (ids != np.floor(ids)).any():
        row = int(((column != ids[:, None]).any(1) | (ids != np.floor(ids))).argmax()) * STEPS
        raise ForecastError(
            f"{path}: rows {row}..{row + STEPS - 1} are not one trajectory of one sequence: every trajectory must have "
            f"exactly {STEPS} consecutive rows with its sequence number"
        )
    return ids


def _modes_per_sequence(counts: np.ndarray, scenes: list[str], path: Path | str) -> int:
    usual = int(np.bincount(counts).argmax())
    if odd := [f"{scene} ({count})" for scene, count in zip(scenes, counts) if count != usual]:
        raise ForecastError(
            f"{path}: all sequences must have the same number of trajectories; most have {usual}, but {names(odd)}: a "
            "sequence occurs twice, or trajectories are missing"
        )
    return usual


def _probabilities(column: np.ndarray, ids: np.ndarray, path: Path | str) -> Float[np.ndarray, " trajectories"]:
    if (column != column[:, :1]).any():
        where = ids[(column != column[:, :1]).any(1)][0]
        raise ForecastError(f"{path}: sequence {where:.0f} has a trajectory whose probability changes from row to row")
    return column[:, 0]


def _check_steps(steps: int, path: Path | str) -> None:
    if steps != STEPS:
        raise ForecastError(f"{path}: the Argoverse 1 file holds {STEPS} steps per trajectory, these have {steps}")
