"""The controls of the paper (tables B and 6) and ours."""

import pytest
import torch
from tiny_models import random_weights, tokens

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.controls import Identity, MLPControl, permuted
from geo_lm4ve.blocks.frozen import FrozenBlock
from geo_lm4ve.config import make
from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.tokens import take


def test_identity_has_no_width_and_zeroes_padding() -> None:
    block = make("block", "identity").build()
    x, valid = tokens(5)
    assert isinstance(block, Identity)
    assert block.dim is None
    assert block.reference is None
    assert torch.equal(block(x, valid)[valid], x[valid])
    assert (block(x, valid)[~valid] == 0).all()


def test_mlp_control_trains_the_adapters_size_and_one_norm() -> None:
    """With bias-free adapters of a ViT-S (d = 384) at LLaMA's width: 3.15 M + 2 · 4096 parameters (paper, table 6)."""
    block = make("block", "mlp", {"like": "llama_7b"}).build()
    assert block.dim == 4096
    assert sum(p.numel() for p in block.parameters() if p.requires_grad) == 2 * 4096
    assert 2 * 384 * block.dim == 3_145_728
    assert make("block", "mlp", {"width": 48}).build().dim == 48
    with pytest.raises(BlockError, match=r"unknown architecture 'llama_8b' \(did you mean"):
        make("block", "mlp", {"like": "llama_8b"}).build()


def test_mlp_control_gives_the_tokens_asked_for() -> None:
    block = MLPControl(6)
    x, valid = tokens(6)
    rows = torch.stack([torch.randperm(x.shape[1])[:4] for _ in range(len(x))])
    assert_equal_up_to_rounding(block.at(x, valid, rows), take(block(x, valid), rows))


def test_mlp_control_is_gelu_then_layer_norm_of_each_token() -> None:
    block = MLPControl(6)
    torch.nn.init.normal_(block.norm.weight)
    x, valid = tokens(6)
    by_hand = torch.nn.functional.gelu(x)
    by_hand = (by_hand - by_hand.mean(-1, keepdim=True)) / (by_hand.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt()
    assert_equal_up_to_rounding(block(x, valid)[valid], (by_hand * block.norm.weight)[valid])
    assert (block(x, valid)[~valid] == 0).all()


@pytest.mark.parametrize("train", ["frozen", "full"])
def test_random_block(train: str) -> None:
    block = make("block", "random", {"train": train, "layers": 2}).build()
    assert isinstance(block, FrozenBlock)
    assert block.reference.layers == (28, 29)
    assert all(p.requires_grad == (train == "full") for p in block.parameters())
    assert bool(block.state_dict()) == (train == "full")


def test_random_block_is_drawn_by_its_seed() -> None:
    first, again, other = (make("block", "random", {"seed": seed}).build() for seed in (0, 0, 1))
    assert first.reference == again.reference
    assert first.reference.sha256 != other.reference.sha256
    x, valid = tokens(576)
    assert torch.equal(first(x, valid), again(x, valid))
    assert not torch.allclose(first(x, valid), other(x, valid))


def test_random_block_needs_a_layer() -> None:
    with pytest.raises(BlockError, match="at least 1, got 0"):
        make("block", "random", {"layers": 0}).build()


def test_permuted_keeps_values_and_destroys_structure() -> None:
    weights = random_weights("llama")
    shuffled = permuted(weights, seed=0)
    for key, tensor in weights.layers[0].items():
        ours = shuffled.layers[0][key]
        assert torch.equal(ours.flatten().sort().values, tensor.flatten().sort().values)
        assert torch.equal(ours, tensor) == (tensor.dim() == 1)
    assert shuffled.reference.source == "permuted:random:llama"
    assert shuffled.reference.sha256 == permuted(weights, seed=0).reference.sha256
    assert shuffled.reference.sha256 != permuted(weights, seed=1).reference.sha256


def test_permuted_block_builds_from_its_config() -> None:
    values = {"source": "random:smollm2_135m"}
    block, plain = (make("block", name, values).build() for name in ("permuted", "pretrained"))
    assert block.reference.source == "permuted:random:smollm2_135m"
    x, valid = tokens(576)
    assert not torch.allclose(block(x, valid), plain(x, valid), atol=1e-2)
