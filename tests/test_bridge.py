import pytest
import torch
from toy import ToyEncoder, toy_batch

from geo_lm4ve.blocks.base import Block
from geo_lm4ve.bridge import AdapterInit, Bridge, LinearBridgeConfig, Residual
from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.tokens import TokenSet


class Double(Block):
    """A block that is easy to predict: twice its input, zeros at padding."""

    def __init__(self, dim=16):
        super().__init__()
        self.dim = dim

    def forward(self, x, valid):
        return 2 * x * valid[..., None]


class Same(Block):
    def forward(self, x, valid):
        return x


@pytest.fixture
def tokens():
    encoder = ToyEncoder()
    value = toy_batch()
    for stage in encoder.stages.values():
        value = stage(value)
    return value


def bridge(**settings):
    return LinearBridgeConfig(**settings).build(Double(), 12)


@pytest.mark.parametrize("residual", list(Residual))
def test_residual_modes(tokens, residual):
    module = bridge(residual=residual)
    z = tokens.features
    u = module.adapter_in(z)
    block = 2 * u * tokens.valid[..., None]
    expected = {
        "none": module.adapter_out(block),
        "in": module.adapter_out(block + u),
        "out": z + module.adapter_out(block),
        "hybrid": z + module.adapter_out(block + u),
    }[residual.name]
    assert_equal_up_to_rounding(module(tokens).features, expected)


@pytest.mark.parametrize("residual", list(Residual))
@pytest.mark.parametrize("checkpoint", [False, True])
def test_dead_tokens_change_nothing_for_those_that_are_read(tokens, residual, checkpoint):
    module = bridge(residual=residual, checkpoint=checkpoint)
    tokens = tokens.replace(features=tokens.features.detach().requires_grad_())
    read = tokens.valid & (torch.arange(tokens.valid.shape[1]) > 0)
    whole, part = module(tokens).features, module(tokens, ["groups"]).features
    assert_equal_up_to_rounding(part[read], whole[read])
    assert not part[1:, 0].any(), "row 0 is shorter and fills up with other tokens"
    for value in (module.adapter_in.weight, module.adapter_out.weight, tokens.features):
        expected, found = (torch.autograd.grad(y[read].sin().sum(), value, retain_graph=True)[0] for y in (whole, part))
        assert_equal_up_to_rounding(found, expected)


def test_everything_is_computed_where_all_spans_are_read_or_none(tokens):
    module = bridge()
    for reads in (["cls", "groups"], ["agents"]):
        assert torch.equal(module(tokens, reads).features, module(tokens).features)
    spans = bridge(spans=["groups"])
    assert torch.equal(spans(tokens, ["groups"]).features[:, 0], tokens.features[:, 0])


def test_adapters_are_bias_free_linear_by_default():
    module = bridge()
    assert [tuple(p.shape) for p in module.parameters()] == [(16, 12), (12, 16)]
    assert len(list(bridge(bias=True).parameters())) == 4


def test_trunc_normal_init_has_the_papers_spread():
    torch.manual_seed(0)
    module = LinearBridgeConfig(init=AdapterInit.trunc_normal).build(Double(512), 384)
    assert module.adapter_in.weight.std().item() == pytest.approx(0.02, rel=0.02)


def test_only_the_chosen_spans_pass(tokens):
    out = bridge(spans=["groups"])(tokens)
    assert torch.equal(out.features[:, 0], tokens.features[:, 0])
    assert not torch.equal(out.features[:, 1:], tokens.features[:, 1:])


def test_identity_block_has_no_adapters(tokens):
    module = LinearBridgeConfig().build(Same(), 12)
    assert type(module) is Bridge
    assert not list(module.parameters())
    assert torch.equal(module(tokens).features, tokens.features)


def test_checkpointing_changes_nothing():
    torch.manual_seed(0)
    plain = bridge()
    saving = bridge(checkpoint=True)
    saving.load_state_dict(plain.state_dict())
    gradients = []
    for module in (plain, saving):
        z = torch.ones(2, 3, 12, requires_grad=True)
        out = module(TokenSet(z, torch.ones(2, 3, dtype=torch.bool), {}))
        out.features.square().sum().backward()
        gradients.append([z.grad, *(p.grad for p in module.parameters())])
    for a, b in zip(*gradients):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_linear_bridge_refuses_a_block_without_width():
    from geo_lm4ve.bridge import LinearBridge
    from geo_lm4ve.config import ConfigError

    with pytest.raises(ConfigError, match="width"):
        LinearBridge(LinearBridgeConfig(), Same(), 12)
