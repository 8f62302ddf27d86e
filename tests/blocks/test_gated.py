"""Our layers against transformers' models: the same numbers, in float64 and float32, under both policies."""

import pytest
import torch
from tiny_models import MODELS, tokens
from transformers_reference import final_norm_of, model_of, unordered, weights_of

from geo_lm4ve.blocks.base import BlockError, LayerWeights
from geo_lm4ve.blocks.frozen import FrozenBlock
from geo_lm4ve.blocks.gated_architecture import GatedArchitecture
from geo_lm4ve.blocks.policy import AttentionPolicy
from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.tokens import take

CASES = [(family, "gated") for family, model in MODELS.items() if model.gated]
CASES += [(family, "hf") for family in MODELS]
EVERY_CASE = pytest.mark.parametrize(("family", "implementation"), CASES)
BOTH_DTYPES = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)


def assert_equal(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """In one dtype and up to its rounding."""
    assert ours.dtype == theirs.dtype
    assert_equal_up_to_rounding(ours, theirs)


def block_of(weights: LayerWeights, implementation: str, **policy: object) -> FrozenBlock:
    return FrozenBlock(weights, implementation=implementation, **policy)


@EVERY_CASE
@BOTH_DTYPES
def test_unordered_tokens(
    family: str, implementation: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(family, dtype, monkeypatch)
    block = block_of(weights_of(model, family), implementation, final_norm="off").to(dtype)
    x, valid = (value.to(dtype) if value.is_floating_point() else value for value in tokens(64))
    assert_equal(block(x, valid)[valid], unordered(model, x, valid)[valid])


@EVERY_CASE
@BOTH_DTYPES
def test_language_models_own_policy(
    family: str, implementation: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Causal mask, sliding windows, rotary embedding and final norm: the last hidden state of the whole model."""
    model = model_of(family, dtype, monkeypatch)
    weights = weights_of(model, family)
    norm = "off" if final_norm_of(model) is None else "loaded"
    rotary = MODELS[family].rotary
    block = block_of(weights, implementation, final_norm=norm, causal=True, rotary=rotary).to(dtype)
    x, _ = tokens(64)
    valid = torch.ones(x.shape[:2], dtype=torch.bool)
    valid[1, 6:] = False
    theirs = model(inputs_embeds=x.to(dtype), attention_mask=valid.long()).last_hidden_state
    assert_equal(block(x.to(dtype), valid)[valid], theirs[valid])


@pytest.mark.parametrize("family", [family for family, model in MODELS.items() if model.gated])
def test_gradients_agree_with_transformers(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(family, torch.float64, monkeypatch)
    block = block_of(weights_of(model, family), "gated", final_norm="off").double()
    x, valid = tokens(64)
    x = x.double().requires_grad_()
    direction = torch.randn(int(valid.sum()), 64, dtype=torch.float64)
    (ours,) = torch.autograd.grad((block(x, valid)[valid] * direction).sum(), x)
    (theirs,) = torch.autograd.grad((unordered(model, x, valid)[valid] * direction).sum(), x)
    assert_equal(ours, theirs)


@EVERY_CASE
@pytest.mark.parametrize("own", [False, True], ids=["unordered", "own policy"])
def test_only_the_tokens_asked_for(
    family: str, implementation: str, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values and gradients of the chosen tokens are those of the whole block."""
    model = model_of(family, torch.float64, monkeypatch)
    policy = {"causal": own, "rotary": own and MODELS[family].rotary}
    block = block_of(weights_of(model, family), implementation, **policy).double()
    x, valid = tokens(64)
    x = x.double().requires_grad_()
    rows = torch.stack([torch.randperm(x.shape[1])[:4] for _ in range(len(x))])
    direction = torch.randn(len(x), 4, 64, dtype=torch.float64)
    some, every = block.at(x, valid, rows), take(block(x, valid), rows)
    assert_equal(some, every)
    assert_equal(*(torch.autograd.grad((y * direction).sum(), x)[0] for y in (some, every)))


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_attention_maps_are_what_the_layer_uses(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(family, torch.float64, monkeypatch)
    block = block_of(weights_of(model, family), "gated").double()
    x, valid = tokens(64)
    layer = block.layers[0]
    maps = layer.attention(x.double(), valid)
    assert maps.shape == (3, 4, 9, 9)
    assert_equal(maps.sum(-1), torch.ones(3, 4, 9, dtype=torch.float64))
    assert (maps.permute(0, 3, 1, 2)[~valid] == 0).all()
    values = layer.self_attn.v_proj(layer.input_layernorm(x.double())).unflatten(-1, (2, -1)).transpose(1, 2)
    mixed = (maps @ values.repeat_interleave(2, dim=1)).transpose(1, 2).flatten(2)
    branch = layer.self_attn(layer.input_layernorm(x.double()), AttentionPolicy().visible(valid), valid)
    assert_equal(layer.self_attn.o_proj(mixed), branch)


def test_traits_of_the_families() -> None:
    arch = {family: GatedArchitecture.from_config(model.config) for family, model in MODELS.items() if model.gated}
    assert arch["llama"].head_dim == 16
    assert arch["mistral"].head_dim == 24
    assert arch["mistral"].windows == (3, 3)
    assert arch["gemma3"].windows == (3, None)
    assert arch["qwen2"].windows == (None, None)
    assert arch["qwen2"].qkv_bias
    assert not arch["qwen2"].output_bias
    assert arch["gemma2"].query_scale == 24**-0.5
    assert arch["gemma3"].softcap is None


def test_text_part_of_a_multimodal_config_is_read() -> None:
    text = MODELS["gemma3"].config
    assert GatedArchitecture.from_config({"model_type": "gemma3", "text_config": text}).family == "gemma3_text"


def test_families_and_rotary_variants_we_do_not_know_are_refused() -> None:
    with pytest.raises(BlockError, match="'opt' is no gated family"):
        GatedArchitecture.from_config(MODELS["opt"].config)
    with pytest.raises(BlockError, match="model_type 'llama9'"):
        GatedArchitecture.from_config({"model_type": "llama9"})
    scaled = {**MODELS["llama"].config, "rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}
    with pytest.raises(BlockError, match="rotary embedding 'dynamic' of llama is not supported"):
        GatedArchitecture.from_config(scaled).rotary(0)
