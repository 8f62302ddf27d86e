"""Tiny models of every family, with weights that are large enough to make mistakes visible."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from geo_lm4ve.blocks.architectures import parameter_shapes
from geo_lm4ve.blocks.base import BlockReference, LayerWeights

_GATED = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
}
_GEMMA = {**_GATED, "head_dim": 32, "query_pre_attn_scalar": 24, "sliding_window": 3}
_LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
_YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}
_OPT = {"hidden_size": 64, "ffn_dim": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "word_embed_proj_dim": 64}


@dataclass(frozen=True)
class Model:
    """A tiny model: its transformers config, whether our layer computes it, whether it has rotary embedding."""

    config: dict[str, Any]
    gated: bool = False
    rotary: bool = True


MODELS = {
    "llama": Model({"model_type": "llama", **_GATED}, gated=True),
    "llama3": Model({"model_type": "llama", **_GATED, "rope_theta": 5e5, "rope_scaling": _LLAMA3}, gated=True),
    "llama_yarn": Model({"model_type": "llama", **_GATED, "rope_scaling": _YARN}, gated=True),
    "llama_biases": Model({"model_type": "llama", **_GATED, "attention_bias": True, "mlp_bias": True}, gated=True),
    "mistral": Model({"model_type": "mistral", **_GATED, "head_dim": 24, "sliding_window": 3}, gated=True),
    "qwen2": Model({"model_type": "qwen2", **_GATED}, gated=True),
    "qwen2_window": Model(
        {"model_type": "qwen2", **_GATED, "use_sliding_window": True, "sliding_window": 3, "max_window_layers": 0},
        gated=True,
    ),
    "qwen3": Model({"model_type": "qwen3", **_GATED, "head_dim": 32}, gated=True),
    "gemma": Model({"model_type": "gemma", **_GATED, "head_dim": 32}, gated=True),
    "gemma2": Model({"model_type": "gemma2", **_GEMMA, "attn_logit_softcapping": 2.0}, gated=True),
    "gemma3": Model(
        {"model_type": "gemma3_text", **_GEMMA, "layer_types": ["sliding_attention", "full_attention"]}, gated=True
    ),
    "opt": Model({"model_type": "opt", **_OPT, "dropout": 0.1}, rotary=False),
    "opt_post_norm": Model({"model_type": "opt", **_OPT, "do_layer_norm_before": False}, rotary=False),
    "gpt2": Model(
        {"model_type": "gpt2", "hidden_size": 64, "n_layer": 2, "n_head": 4, "n_positions": 32}, rotary=False
    ),
    "pythia": Model({"model_type": "gpt_neox", **_GATED, "rope_parameters": None, "rotary_pct": 0.25}),
    "phi": Model({"model_type": "phi", **_GATED, "partial_rotary_factor": 0.5}),
}


def random_weights(family: str, layers: tuple[int, ...] = (0,), seed: int = 0) -> LayerWeights:
    """Layers of a tiny model; unlike a fresh model's, no weight is zero or one."""
    generator = torch.Generator().manual_seed(seed)
    config = MODELS[family].config
    drawn = tuple(
        {
            key: torch.randn(shape, generator=generator) * (0.15 if len(shape) > 1 else 0.3) + (len(shape) == 1)
            for key, shape in parameter_shapes(config, layer).items()
        }
        for layer in layers
    )
    return LayerWeights(config, drawn, {}, BlockReference(f"random:{family}", layers, ""))


def tokens(dim: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Three rows of nine tokens: full, padded at the end, padded in the middle."""
    x = torch.randn(3, 9, dim, generator=torch.Generator().manual_seed(seed))
    valid = torch.ones(3, 9, dtype=torch.bool)
    valid[1, 6:] = False
    valid[2, 3:5] = False
    return x, valid


def probe(out: Tensor) -> Tensor:
    """One number that depends on every value; a plain sum would not, as the final LayerNorm fixes it."""
    direction = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
    return (out * direction).sum()
