"""The trajectory heads: published sizes, order of the modes, and what they refuse."""

import pytest
import torch

from geo_lm4ve.calls import InputError
from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.testing import assert_equal_up_to_rounding, random_tokens
from geo_lm4ve.traffic.encoders.scene_tokens import AGENT_ROWS
from geo_lm4ve.traffic.heads.mmtransformer import MmTransformerHeadConfig
from geo_lm4ve.traffic.heads.vectornet import VectorNetHeadConfig

ROWS = torch.tensor([[0, 1, -1], [3, -1, 5]])


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def agent_tokens(span, slots, dim=256):
    """Tokens of two scenes with three agent slots, one of them empty in each, ``slots`` tokens per agent."""
    tokens = random_tokens(2, {span: 3 * slots, "lanes": 2}, dim, dtype=torch.float64)
    positions = 50 * torch.randn(2, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    places = torch.cat([positions.repeat_interleave(slots, dim=1), torch.zeros(2, 2, 2)], dim=1)
    return tokens.replace(positions=places).with_context(**{AGENT_ROWS: ROWS})


HEADS = {
    "vectornet": (VectorNetHeadConfig, agent_tokens("agents", 1)),
    "mmtransformer": (MmTransformerHeadConfig, agent_tokens("proposals", 6)),
}


@pytest.fixture(scope="module", params=HEADS)
def built(request):
    torch.manual_seed(0)
    config, tokens = HEADS[request.param]
    return config().build(256, 30).double().eval(), tokens


def test_parts_of_vectornets_decoder_have_the_published_sizes():
    head = VectorNetHeadConfig().build(256, 30)
    assert count(head) == 1_363_365
    assert (count(head.modes), count(head.single)) == (885_096, 147_516)
    assert count(head.scores.end) + count(head.scores.fusion) == 198_400
    assert count(head.scores.classifier) == 132_353


def test_mmtransformers_header_has_the_published_size_and_its_unused_layer_does_not_train():
    head = MmTransformerHeadConfig().build(256, 30)
    assert count(head) == 403_261
    assert count(head.unused_distance_embedding) == 384
    assert [name for name, p in head.named_parameters() if not p.requires_grad] == [
        "unused_distance_embedding.weight",
        "unused_distance_embedding.bias",
    ]


def test_all_agents_are_decoded_in_their_order_and_the_targets_come_out(built):
    head, tokens = built
    prediction = head(tokens)
    assert prediction.agents.rows.tolist() == [0, 1, 3, 5]
    torch.testing.assert_close(prediction.positions, prediction.agents.positions[[0, 2]])
    assert prediction.positions.shape == (2, 6, 30, 2)
    assert (prediction.agents.logits.diff(dim=1) <= 0).all()
    torch.testing.assert_close(prediction.probabilities, prediction.agents.logits[[0, 2]].softmax(1))


def test_futures_start_from_where_the_agent_is(built):
    head, tokens = built
    shift = torch.tensor([3.0, -7.0], dtype=torch.float64)
    moved = head(tokens.replace(positions=tokens.positions + shift))
    assert_equal_up_to_rounding(moved.agents.positions, head(tokens).agents.positions + shift)
    assert_equal_up_to_rounding(moved.probabilities, head(tokens).probabilities)


def test_only_the_tokens_that_the_head_declares_are_read(built):
    head, tokens = built
    other = tokens.features.clone()
    other[:, tokens.span("lanes")] = 99.0
    other[0, tokens.span(head.reads[0])][2 * other[:, tokens.span(head.reads[0])].shape[1] // 3 :] = 99.0
    assert_equal_up_to_rounding(head(tokens.replace(features=other)).positions, head(tokens).positions)


def test_mmtransformer_sums_steps_up():
    head = MmTransformerHeadConfig().build(256, 30).double().eval()
    torch.nn.init.zeros_(head.regression[-1].weight)
    head.regression[-1].bias.data = torch.tensor([1.0, -2.0], dtype=torch.float64).repeat(30)
    tokens = agent_tokens("proposals", 6)
    ahead = head(tokens).positions - tokens.positions[:, :1, None]
    torch.testing.assert_close(ahead[..., 0], torch.arange(1.0, 31).double().expand(2, 6, -1))
    torch.testing.assert_close(ahead[..., 1], -2 * ahead[..., 0])


def test_scores_see_where_modes_end_but_do_not_pull_there():
    head = VectorNetHeadConfig(modes=2).build(16, 5).double()
    tokens = agent_tokens("agents", 1, dim=16)
    head(tokens).agents.logits.sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in head.modes.parameters())
    before = head(tokens).agents.logits.detach()
    head.modes[0][1].bias.data += 5.0
    assert not torch.allclose(head(tokens).agents.logits, before)


def test_one_mode_has_probability_one():
    head = VectorNetHeadConfig(modes=1).build(16, 5).double()
    prediction = head(agent_tokens("agents", 1, dim=16))
    assert prediction.probabilities.tolist() == [[1.0], [1.0]]
    assert prediction.single.shape == (2, 5, 2)


def test_tokens_of_another_encoder_are_refused():
    with pytest.raises(InputError, match=r"MmTransformerHead reads the spans proposals; the tokens have agents, lanes"):
        MmTransformerHeadConfig().build(256, 30)(agent_tokens("agents", 1).replace(features=torch.zeros(2, 5, 256)))
    with pytest.raises(ConfigError, match="choose the head that is named like the encoder"):
        VectorNetHeadConfig().build(8, 30)(random_tokens(2, {"agents": 3}))


@pytest.mark.parametrize(("name", "values"), [("vectornet", {"modes": 0}), ("mmtransformer", {"hidden": 0})])
def test_values_that_cannot_be_meant_are_refused(name, values):
    with pytest.raises(ConfigError, match=f"head.{next(iter(values))} must be at least 1"):
        make("head", name, values)
    with pytest.raises(ConfigError, match="future frames of at least 1"):
        make("head", name).build(256, 0)
