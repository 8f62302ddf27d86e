"""mmTransformer: the published sizes, its features by hand, and the layout of its tokens."""

import pytest
import torch
from scene_batches import collate, scene

from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.traffic.encoders.mmtransformer import MmTransformerConfig, history_features, lane_vectors
from geo_lm4ve.traffic.encoders.scene_tokens import AGENT_ROWS, AGENTS_SEEN
from geo_lm4ve.traffic.encoders.stacked_transformer import DecoderLayer, MultiHeadAttention, SinusoidalPositions

SIZES = {
    "history": 663_680,
    "lane_encoder": 265_216,
    "lane_decoder": 397_824,
    "lane_embed": 8_320,
    "position": 4_480,
    "summary": 115_200,
    "history_position": 41_472,
    "summary_position": 41_472,
    "social_encoder": 265_216,
    "unused_social_decoder": 397_824,
    "lane_net": 2_464,
}


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return MmTransformerConfig().build().eval()


@pytest.mark.parametrize("part", SIZES)
def test_parts_have_the_published_sizes(encoder, part):
    module = getattr(encoder.stages["agents_lanes"], part)
    assert sum(parameter.numel() for parameter in module.parameters()) == SIZES[part]


def test_queries_are_orthogonal_and_train_but_what_nobody_calls_does_not(encoder):
    stage = encoder.stages["agents_lanes"]
    assert_equal_up_to_rounding(stage.queries @ stage.queries.T, torch.eye(6))
    assert stage.queries.requires_grad
    frozen = {name.split(".")[0] for name, parameter in stage.named_parameters() if not parameter.requires_grad}
    assert frozen == {"unused_social_decoder"}


def test_histories_become_steps_that_know_whether_both_ends_were_seen():
    batch = collate(scene(2, 0, 0, history=4))
    agents = batch.graph["agent"]
    agents.history[1] = torch.tensor([[0.0, 0.0], [10.0, 1.0], [12.0, 2.0], [15.0, 4.0]])
    agents.history_valid[1] = torch.tensor([False, True, True, True])
    expected = [[0, 0, 0.05, 0], [2, 1, 0.15, 1], [3, 2, 0.25, 1]]
    torch.testing.assert_close(history_features(batch)[1], torch.tensor(expected))


def test_lane_attributes_count_from_one_in_the_official_order():
    batch = collate(scene(1, 1, 0, points=3))
    lanes = batch.graph["lane"]
    lanes.points = torch.tensor([[[0.0, 0.0], [1.0, 2.0], [1.0, 2.0]]])
    lanes.points_valid = torch.tensor([[True, True, False]])
    lanes.turn, lanes.intersection, lanes.control = torch.tensor([[2], [1], [0]])
    torch.testing.assert_close(lane_vectors(batch).features, torch.tensor([[0.0, 0.0, 1.0, 2.0, 2.0, 3.0, 1.0]]))


def test_both_stages_lay_out_their_tokens_as_documented(encoder):
    batch = collate(scene(3, 2, 0), scene(2, 5, 1))
    with torch.no_grad():
        first = encoder.stages["agents_lanes"](batch)
        second = encoder.stages["proposals"](first)
    assert first.spans == {"agents": (0, 3), "lanes": (3, 8)}
    assert first.features.shape == (2, 8, 128)
    assert second.spans == {"proposals": (0, 18)}
    assert second.features.shape == (2, 18, 256)
    assert second.valid.sum(1).tolist() == [18, 12]
    assert_equal_up_to_rounding(second.features[1, 6:12, :128], first.features[1, 1].expand(6, 128))
    assert_equal_up_to_rounding(second.features[:, 7, 128:], first.context["proposals"][:, 1, 1])
    torch.testing.assert_close(second.positions[1, 6:12], first.positions[1, 1].expand(6, 2))
    assert list(second.context) == [AGENT_ROWS, AGENTS_SEEN]
    assert second.context[AGENTS_SEEN] == 5


def test_attention_to_nothing_leaves_the_output_bias_alone():
    attention = MultiHeadAttention(8, 2)
    x, memory = torch.randn(2, 3, 8), torch.randn(2, 4, 8)
    visible = torch.tensor([[True, True, False, False], [False] * 4])
    y = attention(x, memory, memory, visible)
    assert_equal_up_to_rounding(y[0], attention(x[:1], memory[:1, :2], memory[:1, :2])[0])
    torch.testing.assert_close(y[1], attention.out.bias.expand(3, 8))


def test_queries_of_one_group_do_not_see_those_of_another():
    layer = DecoderLayer(8, 2, 16)
    queries, memory = torch.randn(1, 3, 4, 8), torch.randn(1, 5, 8)
    changed = queries.clone()
    changed[:, 1] += 1
    before, after = layer(queries, memory, None), layer(changed, memory, None)
    assert_equal_up_to_rounding(after[:, [0, 2]], before[:, [0, 2]])
    assert not torch.allclose(after[:, 1], before[:, 1])


def test_positions_are_sines_and_cosines_of_the_place():
    added = SinusoidalPositions(4)(torch.zeros(1, 3, 4))[0, 2]
    expected = torch.tensor([2.0, torch.pi / 2 - 2.0, 0.02, torch.pi / 2 - 0.02]).sin()
    assert_equal_up_to_rounding(added, expected)


@pytest.mark.parametrize("values", [{"dim": 0}, {"dim": 9, "heads": 3}, {"dim": 8, "heads": 3}, {"proposals": 0}])
def test_values_that_cannot_be_meant_are_refused(values):
    with pytest.raises(ConfigError, match=f"encoder.{next(iter(values))}"):
        make("encoder", "mmtransformer", values).build()
