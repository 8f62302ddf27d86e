import math

import numpy as np
import pytest

from geo_lm4ve.traffic.argoverse.argoverse1_map import DrivableRaster
from geo_lm4ve.traffic.metrics.conditions import (
    agent_groups,
    observed_speed,
    speed_groups,
    turn_angle,
    turn_groups,
)
from geo_lm4ve.traffic.metrics.table import Truth, breakdown, means, scene_table
from geo_lm4ve.traffic.protocol import Protocol


def _path(speed, turn_degrees=0.0, steps=50):
    """Positions at 10 Hz that start along x and end turned by ``turn_degrees``, turning from step 20 to step 40."""
    heading = np.radians(turn_degrees) * np.clip((np.arange(steps) - 20) / 20, 0, 1)
    return np.cumsum(np.stack([np.cos(heading), np.sin(heading)], -1) * speed / 10, axis=0)


PATHS = np.stack([_path(8), _path(8, 80), _path(8, -40), _path(0), _path(20, 10), _path(3)])
HISTORY, FUTURE = PATHS[:, :20], PATHS[:, 20:]


def test_speed_and_turn():
    assert observed_speed(HISTORY) == pytest.approx([8, 8, 8, 0, 20, 3])
    angle = turn_angle(HISTORY, FUTURE)
    assert angle[[0, 1, 2, 4, 5]] == pytest.approx([0, 80, -40, 10, 0], abs=3)
    assert math.isnan(angle[3])
    assert turn_groups(angle) == ["straight", "left", "right", "no direction", "straight", "straight"]


def test_turn_does_not_depend_on_the_frame():
    c, s = math.cos(2.5), math.sin(2.5)
    turned = PATHS @ np.array([[c, s], [-s, c]]) + [3000, -200]
    np.testing.assert_allclose(turn_angle(turned[:, :20], turned[:, 20:]), turn_angle(HISTORY, FUTURE), atol=1e-6)


def test_an_agent_that_stops_or_starts_has_the_direction_of_the_longer_stretch():
    starting = np.concatenate([np.zeros((1, 20, 2)), _path(8)[None, :30]], 1)
    assert math.isnan(turn_angle(starting[:, :20], starting[:, 20:])[0])
    stopping = np.concatenate([HISTORY[:1], FUTURE[:1, :5], np.repeat(FUTURE[:1, 4:5], 25, 1)], 1)
    assert turn_angle(stopping[:, :20], stopping[:, 20:])[0] == pytest.approx(0, abs=1e-6)


def test_group_borders():
    assert speed_groups(np.array([0.49, 0.5, 5.0, 10.0, 15.0])) == [
        "below 0.5 m/s", "0.5-5 m/s", "5-10 m/s", "10-15 m/s", "from 15 m/s",
    ]  # fmt: skip
    assert agent_groups(np.array([1, 10, 11, 25, 26, 50, 51])) == [
        *["1-10 agents"] * 2, *["11-25 agents"] * 2, *["26-50 agents"] * 2, "over 50 agents",
    ]  # fmt: skip


def _truth():
    cities = ["PIT", "MIA", "PIT", "PIT", "MIA", "PIT"]
    agents = np.array([3, 30, 12, 60, 3, 3])
    return Truth([str(n) for n in range(6)], ["t"] * 6, cities, HISTORY, FUTURE, agents)


def test_table_means_and_breakdown():
    truth = _truth()
    shifts = np.array([0.5, 1.0, 3.0, 0.0, 4.0, 1.0])
    positions = np.repeat(FUTURE[:, None], 2, axis=1)
    positions[..., 1] += shifts[:, None, None]
    positions[:, 1] += 50
    p = np.tile([0.75, 0.25], (6, 1))
    table = scene_table(truth, positions, p, protocol=Protocol.av1, ks=(1, 6))
    assert table["minFDE_6"] == pytest.approx(shifts)
    assert table["brier-minFDE_6"] == pytest.approx(shifts + 0.0625)
    assert table["turn_deg"][3] is None
    total = means(table, Protocol.av1, (1, 6))
    assert total["K=6"]["minFDE"] == pytest.approx(shifts.mean())
    assert total["K=1"]["MR"] == pytest.approx(2 / 6)
    assert "DAC" not in total["K=6"]
    parts = breakdown(table, Protocol.av1, (1, 6))
    assert parts["city"]["MIA"]["samples"] == 2
    assert parts["city"]["MIA"]["K=6"]["minFDE"] == pytest.approx(2.5)
    assert list(parts["speed"]) == ["below 0.5 m/s", "0.5-5 m/s", "5-10 m/s", "from 15 m/s"]
    assert list(parts["city"]) == ["MIA", "PIT"]
    assert parts["turn"]["right"]["K=1"]["MR"] == 1
    for grouping in parts.values():
        weighted = sum(part["samples"] * part["K=6"]["minFDE"] for part in grouping.values())
        assert weighted / 6 == pytest.approx(total["K=6"]["minFDE"])


def test_drivable_area_compliance_where_areas_are_given():
    everywhere, nowhere = (
        DrivableRaster(np.ones((200, 200)), np.eye(3)),
        DrivableRaster(np.zeros((200, 200)), np.eye(3)),
    )
    areas = [everywhere if city == "PIT" else nowhere for city in _truth().cities]
    positions = np.full((6, 2, 30, 2), 50.0)
    table = scene_table(_truth(), positions, None, protocol=Protocol.av1, ks=(1,), areas=areas)
    assert table["DAC_1"] == [1, 0, 1, 1, 0, 1]
    assert means(table, Protocol.av1, (1,))["K=1"]["DAC"] == pytest.approx(4 / 6)
    assert "brier-minFDE_1" not in table
