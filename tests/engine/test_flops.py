"""FLOPs of a forward pass against formulas by hand, and which part of the model they are booked on."""

import pytest
import torch
from tiny_models import random_weights
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from toy import ToyBatch, ToyEncoder, ToyHead, toy_batch

from geo_lm4ve.blocks.controls import Identity
from geo_lm4ve.blocks.frozen import FrozenBlock
from geo_lm4ve.bridge import LinearBridgeConfig
from geo_lm4ve.engine.flops import FORMULAS, count_flops, kind_of
from geo_lm4ve.model import Model
from geo_lm4ve.parts.encoder import Encoder
from geo_lm4ve.tokens import TokenSet

B, N, D, E = 4, 6, 12, 64
"""Samples and tokens of the batch, width of the tokens and of the block."""
HEADS, KV, HIDDEN = 4, 2, 96
EMBED, WIDEN, ANSWER = 2 * B * N * 2 * 8, 2 * B * N * 8 * D, 2 * B * D * 3
NOTHING = {"trainable": 0, "frozen": 0}


def with_block(block, encoder=None, head=None):
    encoder = encoder or ToyEncoder()
    return Model(encoder, LinearBridgeConfig().build(block, encoder.dims[encoder.last]), head or ToyHead()).eval()


def trainable(count):
    return {"trainable": count, "frozen": 0}


def full_batch():
    batch = toy_batch(B, N)
    return ToyBatch(batch.values, torch.ones_like(batch.valid), batch.labels)


def of_the_block(tokens, valid):
    """One tiny LLaMA layer: attention sees padding and masks, the MLP only valid tokens."""
    projections = 2 * tokens * E * (2 * E + 2 * E * KV // HEADS)
    return projections + 2 * 2 * tokens * N * E + 2 * valid * 3 * E * HIDDEN


def test_identity_adds_nothing_to_linear_layers():
    assert count_flops(with_block(Identity()), toy_batch(B, N)) == {
        "encoder": trainable(EMBED + WIDEN), "adapters": NOTHING, "block": NOTHING, "head": trainable(ANSWER),
    }  # fmt: skip


@pytest.mark.parametrize(("batch", "padding"), [(full_batch(), 0), (toy_batch(B, N), 3)], ids=["full", "padded"])
def test_a_frozen_layer_between_trained_adapters(batch, padding):
    assert count_flops(with_block(FrozenBlock(random_weights("llama"))), batch) == {
        "encoder": trainable(EMBED + WIDEN),
        "adapters": trainable(2 * 2 * B * N * D * E),
        "block": {"trainable": 0, "frozen": of_the_block(B * N, B * N - padding)},
        "head": trainable(ANSWER),
    }


def test_a_layer_that_is_trained_and_one_with_lora():
    spent = of_the_block(B * N, B * N)
    full = with_block(FrozenBlock(random_weights("llama"), train="full"))
    assert count_flops(full, full_batch())["block"] == trainable(spent)
    pytest.importorskip("peft")
    lora = count_flops(with_block(FrozenBlock(random_weights("llama"), train="lora")), full_batch())["block"]
    assert 0 < lora["trainable"] < lora["frozen"] < spent, "attention is in a module that is trained"
    assert sum(lora.values()) > spent


def test_a_frozen_encoder_and_a_layer_of_it_that_the_head_uses():
    encoder = ToyEncoder()
    encoder.requires_grad_(False)

    class Sharing(ToyHead):
        def __init__(self):
            super().__init__()
            self.shared = encoder.stages["embed"].linear

        def forward(self, tokens):
            return self.shared(super().forward(tokens)[:, :2])

    found = count_flops(with_block(Identity(), encoder, Sharing()), toy_batch(B, N))
    assert found["encoder"] == {"trainable": 0, "frozen": EMBED + WIDEN}
    assert found["head"] == {"trainable": ANSWER, "frozen": 2 * B * 2 * 8}


class Stage(nn.Module):
    """Any layer as the only stage of an encoder."""

    def __init__(self, layer, width):
        super().__init__()
        self.layer, self.width = layer, width

    def forward(self, batch):
        y = self.layer(batch.values.repeat(1, 1, self.width // 2))
        return TokenSet.full(y[0] if isinstance(y, tuple) else y, {"cls": (0, 1), "groups": (1, N)})


class Attending(nn.MultiheadAttention):
    def forward(self, x):
        return super().forward(x, x, x, need_weights=False)


class Along(nn.Conv1d):
    def forward(self, x):
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


ATTENTION = 4 * 2 * B * N * D * D + 2 * 2 * B * N * N * D
LAYERS = {
    "conv": (lambda: Along(D, D, 3, padding=1), 2 * B * N * D * D * 3),
    "lstm": (lambda: nn.LSTM(D, D, batch_first=True), 2 * B * N * 4 * D * 2 * D),
    "attention": (lambda: Attending(D, 3, batch_first=True), ATTENTION),
    "transformer": (lambda: nn.TransformerEncoderLayer(D, 3, 40, batch_first=True), ATTENTION + 4 * B * N * D * 40),
}
"""Layers that PyTorch may compute by one kernel, and their FLOPs by hand."""


def of_layer(layer):
    encoder = Encoder()
    encoder.stages, encoder.dims = nn.ModuleDict({"layer": Stage(layer, D)}), {"layer": D}
    return with_block(Identity(), encoder)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_pytorch_by_hand(name):
    layer, expected = LAYERS[name]
    model = of_layer(layer())
    assert count_flops(model, toy_batch(B, N))["encoder"] == trainable(expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert count_flops(model, toy_batch(B, N))["encoder"] == trainable(expected)


def test_counting_changes_neither_outputs_nor_modules_even_where_it_fails():
    model, batch = with_block(FrozenBlock(random_weights("llama"))), toy_batch(B, N)

    def hooks():
        return [(len(one._forward_hooks), len(one._forward_pre_hooks)) for one in model.modules()]

    with torch.no_grad():
        expected, before = model(batch), hooks()
        count_flops(model, batch)
        with pytest.raises(AttributeError):
            count_flops(model, None)
        assert torch.equal(model(batch), expected)
    assert hooks() == before
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_parts_are_the_whole():
    """With gradients, which PyTorch's own way of telling modules apart needs."""
    model = with_block(FrozenBlock(random_weights("gpt2")))
    with FlopCounterMode(display=False, custom_mapping=FORMULAS) as counter:
        model(toy_batch(B, N))
    parts = count_flops(model, toy_batch(B, N))
    assert sum(sum(spent.values()) for spent in parts.values()) == counter.get_total_flops()
    assert parts["block"]["frozen"] > 0 == parts["block"]["trainable"]


def test_what_a_module_is():
    layer = nn.Linear(2, 2)
    assert (kind_of(layer), kind_of(nn.ReLU())) == ("trainable", None)
    layer.weight.requires_grad_(False)
    assert kind_of(layer) == "trainable"
    assert kind_of(layer.requires_grad_(False)) == "frozen"
