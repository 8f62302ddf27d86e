import pytest
import torch
from toy import ToyEncoder, ToyHead, toy_batch

from geo_lm4ve.blocks.base import Block
from geo_lm4ve.bridge import LinearBridgeConfig
from geo_lm4ve.classification.head import ClassificationConfig
from geo_lm4ve.config import ConfigError
from geo_lm4ve.create import create_model
from geo_lm4ve.model import Model
from geo_lm4ve.saved import CheckpointError, read_weights
from geo_lm4ve.testing import assert_equal_up_to_rounding


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
    assert_equal_up_to_rounding(net(batch), net.head(tokens))


def test_an_encoder_says_where_the_bridge_goes_unless_the_bridge_does():
    class Tapped(ToyEncoder):
        tap = "embed"

    encoder = Tapped()
    tapped, told = (
        Model(encoder, LinearBridgeConfig().build(Frozen(), encoder.dims[after]), ToyHead(), given)
        for after, given in (("embed", None), ("widen", "widen"))
    )
    assert (tapped.after, told.after, model().after) == ("embed", "widen", "widen")
    batch = toy_batch()
    tokens = encoder.stages["widen"](tapped.bridge(encoder.stages["embed"](batch)))
    assert_equal_up_to_rounding(tapped(batch), tapped.head(tokens))


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
    with pytest.raises(CheckpointError, match=r"gone\.safetensors is missing"):
        read_weights(tmp_path / "gone.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\x00\x00")
    with pytest.raises(CheckpointError, match=r"cut\.safetensors is cut off, damaged or not a safetensors file"):
        read_weights(tmp_path / "cut.safetensors")


def test_a_model_put_together_by_hand_says_what_saving_needs(tmp_path):
    with pytest.raises(CheckpointError, match=r"put together by hand.*ModelConfig"):
        model().save_pretrained(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_model_put_together_by_hand_with_its_config_loads_again(tmp_path):
    config = create_model("point_bert_tiny", num_classes=3, block="mlp").config
    encoder = config.encoder.build()
    bridge = config.bridge.build(config.block.build(), encoder.dims[encoder.last])
    net = Model(encoder, bridge, config.head.build(encoder.dims[encoder.last], 3), config=config, classes="abc")
    net.save_pretrained(tmp_path)
    loaded = Model.from_pretrained(tmp_path)
    assert loaded.classes == ("a", "b", "c")
    assert all(torch.equal(value, net.state_dict()[key]) for key, value in loaded.state_dict().items())


def test_a_card_of_something_else_is_named(tmp_path):
    (tmp_path / "model.json").write_text('{"encoder": {}, "outputs": 3}')
    with pytest.raises(CheckpointError, match=r"model\.json lacks block, block_reference, bridge, classes, head"):
        Model.from_pretrained(tmp_path)


def test_a_head_without_a_usual_number_of_outputs_asks_for_it(monkeypatch):
    monkeypatch.setattr(ClassificationConfig, "default_outputs", None)
    with pytest.raises(ConfigError, match="head=classification has no usual number of outputs: pass num_classes"):
        create_model("point_bert_tiny")
