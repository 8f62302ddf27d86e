"""VectorNet: the published sizes, its features by hand, and the layout of its tokens."""

import pytest
import torch
from scene_batches import collate, scene

from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.encoders.scene_tokens import AGENT_ROWS
from geo_lm4ve.traffic.encoders.vectornet import VectorNetConfig, agent_vectors, lane_vectors, last_run


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return VectorNetConfig().build().eval()


def test_parts_have_the_published_sizes(encoder):
    assert count(encoder.stages["subgraph"].agents) == 43_520
    assert count(encoder.stages["subgraph"].lanes) == 43_552
    assert count(encoder.stages["global"]) == 330_496
    assert encoder.dims == {"subgraph": 256, "global": 256}


def test_biases_start_at_zero_and_matrices_as_glorot_says(encoder):
    linear = encoder.stages["global"][0].query
    assert not linear.bias.any()
    bound = (6 / 512) ** 0.5
    assert 0.99 * bound < linear.weight.abs().max() <= bound


def test_last_run_is_what_leads_to_the_last_frame_without_a_gap():
    valid = torch.tensor([[1, 1, 0, 1, 1], [0, 1, 1, 1, 1], [1, 1, 1, 1, 0]]).bool()
    assert last_run(valid).int().tolist() == [[0, 0, 0, 1, 1], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0]]


def test_histories_become_vectors_without_a_jump_where_the_track_begins():
    batch = collate(scene(2, 0, 0, history=5))
    agents = batch.graph["agent"]
    agents.history[1] = torch.tensor([[9.0, 9.0], [0.0, 0.0], [10.0, 1.0], [12.0, 2.0], [15.0, 4.0]])
    agents.history_valid[1] = torch.tensor([True, False, True, True, True])
    vectors = agent_vectors(batch)
    assert vectors.count == 2
    assert vectors.polyline.tolist() == [0] * 4 + [1] * 4
    expected = [[0, 0, 0, 0, 0, 0], [10, 1, 0, 0, 1, 0.2], [12, 2, 2, 1, 1, 0.3], [15, 4, 3, 2, 1, 0.4]]
    torch.testing.assert_close(vectors.features[4:], torch.tensor(expected))


def test_lanes_become_vectors_without_their_padding():
    batch = collate(scene(1, 2, 0, points=3))
    lanes = batch.graph["lane"]
    lanes.points = torch.tensor([[[0.0, 0.0], [1.0, 2.0], [4.0, 4.0]], [[5.0, 5.0], [7.0, 4.0], [7.0, 4.0]]])
    lanes.points_valid = torch.tensor([[True, True, True], [True, True, False]])
    lanes.turn, lanes.intersection, lanes.control = torch.tensor([[2, 0], [0, 1], [1, 0]])
    vectors = lane_vectors(batch)
    assert vectors.polyline.tolist() == [0, 0, 1]
    expected = [[1, 2, 1, 2, 2, 0, 1], [4, 4, 3, 2, 2, 0, 1], [7, 4, 2, -1, 0, 1, 0]]
    torch.testing.assert_close(vectors.features, torch.tensor(expected, dtype=torch.float32))


def test_tokens_are_agents_then_lanes_and_an_agent_that_has_left_is_padding(encoder):
    batch = collate(scene(3, 2, 0), scene(2, 5, 1))
    batch.graph["agent"].history_valid[2, -1] = False
    with torch.no_grad():
        tokens = encoder.stages["subgraph"](batch)
    assert tokens.spans == {"agents": (0, 3), "lanes": (3, 8)}
    assert tokens.features.shape == (2, 8, 256)
    assert tokens.context[AGENT_ROWS].tolist() == [[0, 1, -1], [3, 4, -1]]
    assert tokens.valid.int().tolist() == [[1, 1, 0, 1, 1, 0, 0, 0], [1, 1, 0, 1, 1, 1, 1, 1]]
    torch.testing.assert_close(tokens.positions[1, 1], batch.graph["agent"].history[4, -1])
    lane, real = batch.graph["lane"].points[2], batch.graph["lane"].points_valid[2]
    torch.testing.assert_close(tokens.positions[1, 3], lane[real].mean(0))


def test_a_target_that_has_left_is_an_error_that_names_the_scene(encoder):
    batch = collate(scene(3, 2, 0), scene(2, 5, 1))
    batch.graph["agent"].history_valid[3, -1] = False
    with pytest.raises(DataError, match="scene-1 was not seen at the last observed frame"):
        encoder.stages["subgraph"](batch)


@pytest.mark.parametrize("values", [{"widths": []}, {"widths": [32, 0]}, {"global_depth": 0}])
def test_values_that_cannot_be_meant_are_refused(values):
    with pytest.raises(ConfigError, match=f"encoder.{next(iter(values))}"):
        make("encoder", "vectornet", values).build()


def test_a_deeper_global_graph_has_a_relu_between_its_rounds_only():
    rounds = VectorNetConfig(widths=[4], global_depth=2).build().stages["global"]
    assert [type(part.activation).__name__ for part in rounds] == ["ReLU", "Identity"]
