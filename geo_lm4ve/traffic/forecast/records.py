"""Records of forecasts: numbers one can read, and the trajectories themselves in a compact form."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from geo_lm4ve.reading import Fields
from geo_lm4ve.traffic.metrics.table import SceneTable
from geo_lm4ve.traffic.submissions import Forecasts

KS = (1, 6)
"""Numbers of guesses that both leaderboards report."""
SAID = ("minADE_6", "minFDE_6", "minFDE_1", "brier-minFDE_6")
"""Numbers said of each scene; the second one orders and ranks them."""
FORECAST = ("index", "probabilities", "shape", "positions")
"""Entries of a record besides the columns of the per-scene table."""
NAMES = ("scene", "track", "city", "speed", "turn", "agents")
"""Columns of the table that are texts; the others are numbers, ``turn_deg`` may be None."""


def forecast_records(
    table: SceneTable,
    index: Sequence[int],
    probabilities: Float[np.ndarray, "s k"],
    positions: Float[np.ndarray, "s k f 2"],
) -> list[dict[str, Any]]:
    """One record per scene.

    Args:
        table: one row per scene (``metrics.table.scene_table``).
        index: rows of the scenes in their split.
        probabilities: of the modes.
        positions: city coordinates [m]; kept as base64 of little-endian float32, as precise as the Argoverse 1
            submission format, in a tenth of the space of decimals.
    """
    rows = [dict(zip(table, values)) for values in zip(*table.values())]
    packed = positions.astype("<f4")
    return [
        {
            "index": int(number),
            **row,
            "probabilities": p.tolist(),
            "shape": list(track.shape[:2]),
            "positions": base64.b64encode(track.tobytes()).decode("ascii"),
        }
        for number, row, p, track in zip(index, rows, probabilities, packed)
    ]


def forecast_of(record: Mapping[str, Any]) -> Float[np.ndarray, "k f 2"]:
    """The trajectories of a record, city coordinates [m]."""
    flat = np.frombuffer(base64.b64decode(record["positions"]), dtype="<f4")
    return flat.reshape(*record["shape"], 2).astype(np.float64)


def check_records(records: Sequence[Mapping[str, Any]], future: int) -> None:
    """ValueError for records read from a file that are not of forecasts over ``future`` frames."""
    for record in records:
        fields = Fields(record, f"scene {record['index']}: ")
        if record.keys() != records[0].keys():
            raise ValueError(f"{fields.prefix}it has other columns than the first one")
        for name in record:
            if name in NAMES:
                fields.text(name)
            elif name not in FORECAST and (name != "turn_deg" or record[name] is not None):
                fields.number(name)
        probabilities, shape = np.asarray(fields["probabilities"], dtype=np.float64), fields["shape"]
        if not probabilities.size or not isinstance(shape, list) or shape != [*probabilities.shape, future]:
            raise ValueError(f"{fields.prefix}shape is {str(shape)[:60]}, not [modes, {future}]")
        if not (np.isfinite(probabilities).all() and np.isfinite(forecast_of(record)).all()):
            raise ValueError(f"{fields.prefix}forecasts are not finite")
    if records and (missing := sorted({*NAMES, *FORECAST, *SAID} - records[0].keys())):
        raise ValueError(f"they lack {', '.join(missing)}")


def forecasts_of(records: Sequence[Mapping[str, Any]]) -> Forecasts:
    """All records as the content of a submission file."""
    return Forecasts(
        scenes=[record["scene"] for record in records],
        tracks=[record["track"] for record in records],
        positions=np.stack([forecast_of(record) for record in records]),
        probabilities=np.array([record["probabilities"] for record in records], dtype=np.float64),
    )


def table_of(records: Sequence[Mapping[str, Any]]) -> SceneTable:
    """All records as the per-scene table."""
    columns = [name for name in records[0] if name not in FORECAST]
    return {name: [record[name] for record in records] for name in columns}
