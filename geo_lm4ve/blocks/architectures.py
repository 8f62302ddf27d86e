"""Architectures by name: the transformers config of each, and layers with freshly drawn weights."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from geo_lm4ve.blocks.base import BlockError, BlockReference, LayerWeights
from geo_lm4ve.blocks.final_norm import final_norm as final_norm_of
from geo_lm4ve.blocks.fingerprint import fingerprint
from geo_lm4ve.blocks.gated import GatedLayer
from geo_lm4ve.blocks.gated_architecture import FAMILIES, GEMMA, GatedArchitecture, traits
from geo_lm4ve.blocks.policy import AttentionPolicy
from geo_lm4ve.config import unknown
from geo_lm4ve.memory import machine_memory


def architecture(name: str) -> dict[str, Any]:
    """A transformers config by name; BlockError lists the names."""
    if name not in ARCHITECTURES:
        raise BlockError(unknown("architecture", name, ARCHITECTURES))
    return dict(ARCHITECTURES[name])


def width(name: str) -> int:
    """Width D of an architecture's residual stream."""
    return traits(architecture(name)).hidden_size


def parameter_shapes(config: dict[str, Any], layer: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of one layer's parameters; nothing is allocated."""
    if config["model_type"] in FAMILIES:
        module: nn.Module = GatedLayer(GatedArchitecture.from_config(config), layer, AttentionPolicy())
    else:
        from geo_lm4ve.blocks.hf import HFLayer  # imports transformers' models

        module = HFLayer(config, layer, AttentionPolicy()).layer
    return {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}


def random_layers(name: str, layers: Sequence[int], seed: int, final_norm: bool) -> LayerWeights:
    """Layers of an architecture with random weights, drawn as transformers initialises its models.

    Matrices are normal with the config's ``initializer_range``, biases zero, gains one. A layer's weights depend on
    name, index and seed only, not on which other layers are asked for.

    Args:
        name: one of ARCHITECTURES.
        layers: indices; negative ones count from the last layer.
        seed: of the draw.
        final_norm: also return the final norm (gain one).

    Raises:
        BlockError: unknown architecture, or no such layer.
    """
    config = architecture(name)
    full = traits(config)
    indices = tuple(_index(layer, full.num_hidden_layers, name) for layer in layers)
    _require_memory(config, indices, name)
    drawn = tuple(_draw(config, full, index, seed) for index in indices)
    norm = final_norm_of(full) if final_norm else None
    norm_tensors = {} if norm is None else {key: p.detach() for key, p in norm.named_parameters()}
    return LayerWeights(config, drawn, norm_tensors, BlockReference(f"random:{name}", indices, fingerprint(drawn)))


def _require_memory(config: dict[str, Any], indices: Sequence[int], name: str) -> None:
    needed = 4 * len(indices) * sum(prod(shape) for shape in parameter_shapes(config, indices[0]).values())
    if needed > machine_memory():
        sizes = f"{needed / 1e9:.1f} GB, this machine has {machine_memory() / 1e9:.1f} GB"
        raise BlockError(f"{len(indices)} random layers of {name} would take {sizes}; ask for fewer")


def _index(layer: int, count: int, name: str) -> int:
    if not -count <= layer < count:
        raise BlockError(f"{name} has {count} layers: layer {layer} is out of range {-count}..{count - 1}")
    return layer % count


def _draw(config: dict[str, Any], full: Any, layer: int, seed: int) -> dict[str, Tensor]:
    """One layer's weights."""
    generator = torch.Generator().manual_seed(seed * 4096 + layer)
    gain = 0.0 if full.model_type in GEMMA else 1.0
    drawn = {}
    for key, shape in parameter_shapes(config, layer).items():
        if len(shape) > 1:
            drawn[key] = torch.empty(shape).normal_(0.0, _deviation(full, key), generator=generator)
        else:
            drawn[key] = torch.full(shape, 0.0 if key.endswith("bias") else gain)
    return drawn


def _deviation(full: Any, key: str) -> float:
    """Standard deviation of a matrix; families that do not say otherwise (OPT: ``init_std``) use initializer_range."""
    std = float(getattr(full, "initializer_range", None) or full.init_std)
    if full.model_type == "gpt2" and key.endswith("c_proj.weight"):
        return std / (2 * full.num_hidden_layers) ** 0.5  # two residual branches per layer (GPT-2 paper, section 2.3)
    return std


_LLAMA_7B = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "rms_norm_eps": 1e-6,
}
_SMOLLM2 = {
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "rms_norm_eps": 1e-5,
    "rope_theta": 100_000.0,
    "max_position_embeddings": 8192,
    "initializer_range": 576**-0.5,
}
_LLAMA3_8B = {
    **_LLAMA_7B,
    "intermediate_size": 14336,
    "num_key_value_heads": 8,
    "rms_norm_eps": 1e-5,
    "rope_theta": 500_000.0,
    "max_position_embeddings": 8192,
}
_MISTRAL_7B = {  # v0.1
    **_LLAMA3_8B,
    "model_type": "mistral",
    "rope_theta": 10_000.0,
    "max_position_embeddings": 32768,
    "sliding_window": 4096,
}
_GEMMA3_270M = {
    "model_type": "gemma3_text",
    "hidden_size": 640,
    "intermediate_size": 2048,
    "num_hidden_layers": 18,
    "num_attention_heads": 4,
    "num_key_value_heads": 1,
    "head_dim": 256,
    "query_pre_attn_scalar": 256,
    "sliding_window": 512,
    "max_position_embeddings": 32768,
}


def _qwen(model_type: str, hidden: int, ffn: int, layers: int, heads: int, groups: int) -> dict[str, Any]:
    """Qwen2.5 and Qwen3: rotary base 10⁶, RMSNorm eps 1e-6."""
    return {
        "model_type": model_type,
        "hidden_size": hidden,
        "intermediate_size": ffn,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": groups,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1_000_000.0,
        "max_position_embeddings": 32768,
    }


_VIT_BASE = {
    "model_type": "vit",
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "patch_size": 16,
}


def _opt(hidden: int, layers: int, heads: int) -> dict[str, Any]:
    """OPT (arXiv 2205.01068, table 1); the MLP is four times as wide as the stream."""
    return {
        "model_type": "opt",
        "hidden_size": hidden,
        "ffn_dim": 4 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "word_embed_proj_dim": hidden,
    }


def _pythia(hidden: int, layers: int, heads: int) -> dict[str, Any]:
    """Pythia (arXiv 2304.01373, table 1): rotary on a quarter of each head, parallel residual."""
    return {
        "model_type": "gpt_neox",
        "hidden_size": hidden,
        "intermediate_size": 4 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "rotary_pct": 0.25,
        "use_parallel_residual": True,
    }


ARCHITECTURES: dict[str, dict[str, Any]] = {
    "smollm2_135m": _SMOLLM2,
    "llama_7b": _LLAMA_7B,
    "open_llama_7b": _LLAMA_7B,
    "llama2_7b": {**_LLAMA_7B, "rms_norm_eps": 1e-5, "max_position_embeddings": 4096},
    "llama3_8b": _LLAMA3_8B,
    "mistral_7b": _MISTRAL_7B,
    "qwen2_5_0_5b": _qwen("qwen2", 896, 4864, 24, 14, 2),
    "qwen2_5_1_5b": _qwen("qwen2", 1536, 8960, 28, 12, 2),
    "qwen2_5_7b": _qwen("qwen2", 3584, 18944, 28, 28, 4),
    "qwen3_0_6b": {**_qwen("qwen3", 1024, 3072, 28, 16, 8), "head_dim": 128},
    "qwen3_1_7b": {**_qwen("qwen3", 2048, 6144, 28, 16, 8), "head_dim": 128},
    "qwen3_8b": {**_qwen("qwen3", 4096, 12288, 36, 32, 8), "head_dim": 128},
    "gemma3_270m": _GEMMA3_270M,
    "opt_125m": _opt(768, 12, 12),
    "opt_350m": {**_opt(1024, 24, 16), "do_layer_norm_before": False, "word_embed_proj_dim": 512},
    "opt_1_3b": _opt(2048, 24, 32),
    "opt_2_7b": _opt(2560, 32, 32),
    "opt_6_7b": _opt(4096, 32, 32),
    "gpt2": {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12},
    "pythia_70m": _pythia(512, 6, 8),
    "pythia_160m": _pythia(768, 12, 12),
    "pythia_410m": _pythia(1024, 24, 16),
    "pythia_1_4b": _pythia(2048, 24, 16),
    "vit_base": _VIT_BASE,
}
"""What the models' config.json say about their layers, without what concerns tokens, pixels and generation."""
