"""One row per scene: what was to be forecast, under which conditions, and how well it went; and means over groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64

from geo_lm4ve.traffic.metrics.conditions import (
    GROUP_ORDER,
    agent_groups,
    observed_speed,
    speed_groups,
    turn_angle,
    turn_groups,
)
from geo_lm4ve.traffic.metrics.drivable_area import drivable_area_compliance
from geo_lm4ve.traffic.metrics.forecasting import flat_name, forecast_metrics, metric_names
from geo_lm4ve.traffic.protocol import Protocol
from geo_lm4ve.traffic.records.surface import Surface

GROUPINGS = ("city", "speed", "turn", "agents")
"""What a breakdown is by."""

SceneTable = dict[str, list[Any]]
"""Column name -> one plain value per scene."""


@dataclass(frozen=True)
class Truth:
    """The scored track of each of S scenes.

    Attributes:
        scenes, tracks, cities: names.
        history: (S, T, 2) its observed positions, metres.
        future: (S, F, 2) what happened then, metres, same frame.
        agents: (S,) agents seen at the last observed step, itself included.
    """

    scenes: Sequence[str]
    tracks: Sequence[str]
    cities: Sequence[str]
    history: Float[np.ndarray, "s t 2"]
    future: Float[np.ndarray, "s f 2"]
    agents: Int64[np.ndarray, " s"]


def scene_table(
    truth: Truth,
    positions: Float[np.ndarray, "s k f 2"],
    probabilities: Float[np.ndarray, "s k"] | None,
    *,
    protocol: Protocol,
    ks: Sequence[int],
    areas: Sequence[Surface] | None = None,
) -> SceneTable:
    """Names, conditions and every metric of each scene (``minADE_6``, ...; ``DAC_6`` where drivable areas are given).

    Raises:
        ForecastError: as ``forecast_metrics`` and ``drivable_area_compliance``.
    """
    speed, angle = observed_speed(truth.history), turn_angle(truth.history, truth.future)
    table: SceneTable = {
        "scene": list(truth.scenes),
        "track": list(truth.tracks),
        "city": list(truth.cities),
        "speed_mps": speed.round(3).tolist(),
        "turn_deg": [None if np.isnan(value) else round(value, 2) for value in angle.tolist()],
        "num_agents": truth.agents.tolist(),
        "speed": speed_groups(speed),
        "turn": turn_groups(angle),
        "agents": agent_groups(truth.agents),
    }
    modes, future = torch.from_numpy(positions), torch.from_numpy(truth.future)
    p = None if probabilities is None else torch.from_numpy(probabilities)
    for k in ks:
        for name, values in forecast_metrics(modes, future, p, protocol=protocol, k=k).items():
            table[flat_name(name, k)] = values.tolist()
        if areas is not None:
            table[flat_name("DAC", k)] = drivable_area_compliance(positions, areas, k=k).tolist()
    return table


def means(table: Mapping[str, Sequence[Any]], protocol: Protocol, ks: Sequence[int]) -> dict[str, dict[str, float]]:
    """``{"K=6": {"minADE": ..., ...}}`` over all rows, with the metrics that the table has."""
    names = [*metric_names(protocol), "DAC"]
    return {
        f"K={k}": {
            name: float(np.mean(table[flat_name(name, k)], dtype=np.float64))
            for name in names
            if flat_name(name, k) in table
        }
        for k in ks
    }


def breakdown(
    table: Mapping[str, Sequence[Any]], protocol: Protocol, ks: Sequence[int]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Means by city, speed, turn and number of agents: ``{"turn": {"left": {"samples": 12, "K=6": {...}}}}``."""
    return {
        grouping: {
            group: {"samples": len(rows), **means(_rows(table, rows), protocol, ks)}
            for group, rows in _members(table[grouping]).items()
        }
        for grouping in GROUPINGS
    }


def _members(labels: Sequence[str]) -> dict[str, list[int]]:
    """Rows of each group, groups in the order of tables (cities by name)."""
    order = {label: place for place, label in enumerate(GROUP_ORDER)}
    members: dict[str, list[int]] = {
        label: [] for label in sorted(set(labels), key=lambda label: (order.get(label, -1), label))
    }
    for row, label in enumerate(labels):
        members[label].append(row)
    return members


def _rows(table: Mapping[str, Sequence[Any]], rows: Sequence[int]) -> SceneTable:
    return {name: [column[row] for row in rows] for name, column in table.items()}
