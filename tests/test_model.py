import pytest
import torch
from toy import ToyEncoder, ToyHead, toy_batch

from geo_lm4ve.blocks.base import Block
from geo_lm4ve.bridge import LinearBridgeConfig
from geo_lm4ve.config import ConfigError
from geo_lm4ve.model import Model


class Frozen(Block):
    def __init__(self, dim=16):
        super().__init__()
        self.dim = dim
        self.weight = torch.nn.Parameter(torch.eye(dim) * 3, requires_grad=False)

    def forward(self, x, valid):
        return (x @ self.weight) * valid[..., None]


def model(after=None):
    encoder = ToyEncoder()
    dim = encoder.dims[after or encoder.last]
    return Model(encoder, LinearBridgeConfig().build(Frozen(), dim), ToyHead(), after)


def test_bridge_follows_the_named_stage():
    net, batch = model("embed"), toy_batch()
    tokens = net.encoder.stages["widen"](net.bridge(net.encoder.stages["embed"](batch)))
    torch.testing.assert_close(net(batch), net.head(tokens))


def test_unknown_stage_lists_the_stages():
    with pytest.raises(ConfigError, match=r"unknown encoder stage 'middle'.*embed, widen"):
        Model(ToyEncoder(), LinearBridgeConfig().build(Frozen(), 12), ToyHead(), "middle")


def test_gradient_reaches_encoder_adapters_and_head_but_not_the_block():
    net = model()
    net(toy_batch()).square().sum().backward()
    for name, parameter in net.named_parameters():
        if name.startswith("bridge.block"):
            assert parameter.grad is None
        else:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


def test_frozen_encoder_stays_in_eval_mode():
    net = model()
    net.encoder.requires_grad_(False)
    net.train()
    assert not net.encoder.training
    assert net.head.training


def test_count_splits_trainable_and_frozen():
    assert model().count() == {"trainable": 2 * 8 + 8 + 8 * 12 + 12 + 2 * 12 * 16 + 12 * 3 + 3, "frozen": 256}


def test_damaged_weights_are_named(tmp_path):
    from geo_lm4ve.model import CheckpointError, read_weights

    with pytest.raises(CheckpointError, match=r"gone\.safetensors is missing"):
        read_weights(tmp_path / "gone.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\x00\x00")
    with pytest.raises(CheckpointError, match=r"cut\.safetensors is not a whole safetensors file"):
        read_weights(tmp_path / "cut.safetensors")
