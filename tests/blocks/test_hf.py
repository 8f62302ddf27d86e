"""Transformers' layers behind our interface; that they compute the same numbers is in test_gated."""

import pytest
import torch
from tiny_models import MODELS, random_weights, tokens

from geo_lm4ve.blocks.architectures import parameter_shapes
from geo_lm4ve.blocks.base import BlockError, BlockReference, LayerWeights
from geo_lm4ve.blocks.frozen import FrozenBlock
from geo_lm4ve.testing import assert_equal_up_to_rounding

_SMALL = MODELS["llama"].config
MORE = {
    "bert": {**_SMALL, "hidden_dropout_prob": 0.5},
    "gpt_bigcode": {"n_embd": 64, "n_layer": 2, "n_head": 4},
    "gptj": {"n_embd": 64, "n_layer": 2, "n_head": 4, "rotary_dim": 8},
    "mixtral": {**_SMALL, "num_local_experts": 2},
    "olmo2": _SMALL,
    "phi3": {**_SMALL, "pad_token_id": 0},
    "smollm3": _SMALL,
    "xglm": {"d_model": 64, "ffn_dim": 96, "num_layers": 2, "attention_heads": 4},
}


def drawn(config: dict) -> LayerWeights:
    generator = torch.Generator().manual_seed(0)
    shapes = parameter_shapes(config, 0)
    layer = {key: 0.1 * torch.randn(shape, generator=generator) for key, shape in shapes.items()}
    return LayerWeights(config, (layer,), {}, BlockReference("random:test", (0,), ""))


@pytest.mark.parametrize("kind", sorted(MORE))
def test_other_families_work_unseen(kind: str) -> None:
    """Permutation, padding and gradient through families that nothing here was written for."""
    block = FrozenBlock(drawn({**MORE[kind], "model_type": kind}), final_norm="off").train()
    x, valid = tokens(64)
    x.requires_grad_()
    out = block(x, valid)
    order = torch.randperm(9)
    assert_equal_up_to_rounding(block(x[:, order], valid[:, order]), out[:, order])
    (grad,) = torch.autograd.grad(out[1, 0].sum(), x)
    assert grad[1, 5].abs().max() > 0
    assert (grad[1, 6:] == 0).all()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "bloom", "hidden_size": 64, "n_layer": 2, "n_head": 4}, r"BloomBlock needs \['alibi'\]"),
        ({"model_type": "mamba", "hidden_size": 64, "num_hidden_layers": 2}, r"linear_attention.*no plain attention"),
        ({"model_type": "biogpt"}, "no decoder layer found in transformers.models.biogpt"),
        ({"model_type": "vision-encoder-decoder"}, "no base model for 'vision-encoder-decoder'"),
    ],
)
def test_models_without_a_callable_layer_are_refused(config: dict, message: str) -> None:
    with pytest.raises(BlockError, match=message):
        parameter_shapes(config, 0)


def test_layer_that_is_causal_by_itself_is_refused() -> None:
    config = {"model_type": "gpt_neo", "hidden_size": 64, "num_layers": 2, "num_heads": 4}
    weights = drawn({**config, "attention_types": [[["global", "local"], 1]]})
    with pytest.raises(BlockError, match="GPTNeoBlock depends on the order of tokens by itself; set causal: true"):
        FrozenBlock(weights)
    x, valid = tokens(64)
    assert torch.isfinite(FrozenBlock(weights, causal=True)(x, valid)).all()


def test_rotary_is_refused_where_there_is_none() -> None:
    with pytest.raises(BlockError, match="opt has no rotary embedding of its own; set rotary: false"):
        FrozenBlock(random_weights("opt"), rotary=True)


def test_dropout_of_the_source_model_is_off() -> None:
    block = FrozenBlock(random_weights("opt"), train="full").train()
    x, valid = tokens(64)
    assert MODELS["opt"].config["dropout"] > 0
    assert torch.equal(block(x, valid), block(x, valid))
