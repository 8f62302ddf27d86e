"""The lane follower: paths, projection, branches with probabilities, and what happens without lanes."""

import numpy as np
import pytest
import torch
from scene_batches import collate, scene
from torch_geometric.data import HeteroData

from geo_lm4ve.config import ConfigError
from geo_lm4ve.traffic.encoders.kinematic import KinematicEncoderConfig
from geo_lm4ve.traffic.heads.lane_follower import LaneFollowerConfig
from geo_lm4ve.traffic.heads.lane_paths import LaneGraph, paths, project, walk

ONE_SPEED = {"speeds": [1.0], "speed_weights": [1.0]}


def _straight(start, end, points=10):
    return np.linspace(start, end, points)


FORK = LaneGraph(
    [
        _straight((-30, 0), (10, 0)),
        _straight((10, 0), (60, 0)),
        _straight((10, 0), (10, 50)),
        _straight((60, 3.5), (-30, 3.5)),
    ],
    [[1, 2], [], [], []],
)


def test_projection():
    feet = project(np.array([2.0, 1.0]), FORK.lanes)
    np.testing.assert_allclose(feet.distance, [1.0, np.hypot(8, 1), 8.0, 2.5])
    np.testing.assert_allclose(feet.along, [32.0, 0.0, 1.0, 58.0])
    np.testing.assert_allclose(np.abs(feet.direction), [0, 0, np.pi / 2, np.pi])
    np.testing.assert_allclose(feet.foot[0], [2.0, 0.0])


def test_paths_share_their_probability_and_stop_when_long_enough():
    assert list(paths(FORK, 0, 100.0)) == [([0, 1], 0.5), ([0, 2], 0.5)]
    assert list(paths(FORK, 0, 20.0)) == [([0], 1.0)]
    circle = LaneGraph([_straight((0, 0), (10, 0)), _straight((10, 0), (0, 0))], [[1], [0]])
    assert list(paths(circle, 0, 1000.0)) == [([0, 1], 1.0)]


def test_walking_goes_straight_on_beyond_the_end():
    points = walk(FORK, [0, 2], np.array([0.0, 39.0, 45.0, 100.0]))
    np.testing.assert_allclose(points, [[-30, 0], [9, 0], [10, 5], [10, 60]], atol=1e-9)


def _batch(lanes=FORK, y=0.0, pace=1.0):
    """One scene: the target drives along x at ``pace`` m per step and is at (0, y) now."""
    graph: HeteroData = scene(agents=2, lanes=len(lanes.lanes), seed=0)
    graph["agent"].history[0] = torch.stack([pace * torch.arange(-19.0, 1), torch.full((20,), y)], -1)
    graph["agent"].velocity = torch.zeros(2, 2)
    graph["lane"].points = torch.from_numpy(np.array(lanes.lanes).reshape(-1, 10, 2)).float()
    graph["lane"].points_valid = torch.ones(len(lanes.lanes), 10, dtype=torch.bool)
    edges = [(lane, following) for lane, ahead in enumerate(lanes.successors) for following in ahead]
    graph["lane", "successor", "lane"].edge_index = torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T
    return collate(graph)


def _forecast(batch, **config):
    tokens = KinematicEncoderConfig().build().stages["state"](batch)
    return LaneFollowerConfig(**config).build(4, 30)(tokens)


def test_a_fork_gives_two_futures():
    out = _forecast(_batch(), **ONE_SPEED, modes=6)
    assert out.positions.shape == (1, 6, 30, 2)
    assert out.probabilities[0].tolist() == [0.5, 0.5, 0, 0, 0, 0]
    ends = out.positions[0, :, -1]
    torch.testing.assert_close(ends[:2], torch.tensor([[30.0, 0.0], [10.0, 20.0]]))
    torch.testing.assert_close(ends[2:], torch.tensor([[30.0, 0.0]]).expand(4, -1))


def test_speeds_multiply_the_futures():
    out = _forecast(_batch(), modes=6)
    assert out.probabilities[0].sum().item() == pytest.approx(1)
    assert out.probabilities[0].tolist() == pytest.approx([0.25, 0.25, 0.125, 0.125, 0.125, 0.125])
    lengths = out.positions[0].diff(dim=1).norm(dim=-1).sum(1) / 29
    assert sorted(lengths.tolist()) == pytest.approx([0.7, 0.7, 1.0, 1.0, 1.3, 1.3], abs=0.05)


def test_the_distance_to_the_lane_fades_and_opposite_lanes_do_not_count():
    out = _forecast(_batch(y=1.0), **ONE_SPEED, settle=20.0)
    y = out.positions[0, 0, :, 1]
    assert y[0].item() == pytest.approx(0.95, abs=1e-4)
    assert y[19:].abs().max().item() < 1e-4
    assert (out.probabilities[0] > 0).sum() == 2


def test_without_a_lane_the_velocity_stays_constant():
    for batch in (_batch(y=30.0), _batch(LaneGraph([], []))):
        out = _forecast(batch)
        assert out.probabilities[0].tolist() == [1, 0, 0, 0, 0, 0]
        torch.testing.assert_close(out.positions[0, 0].diff(dim=0)[:, 0], torch.ones(29))


def test_a_standing_target_has_one_future():
    out = _forecast(_batch(pace=0.0))
    assert out.probabilities[0, 0].item() == pytest.approx(1)
    torch.testing.assert_close(out.positions[0, 0], torch.zeros(30, 2), atol=1e-5, rtol=0)


@pytest.mark.parametrize("values", [{"modes": 0}, {"reach": 0.0}, {"speeds": []}, {"speed_weights": [1.0]}])
def test_bad_values(values):
    with pytest.raises(ConfigError, match=f"head.{next(iter(values))}"):
        LaneFollowerConfig(**values)
