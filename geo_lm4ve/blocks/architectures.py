"""Architectures by name: the transformers config of each, and layers with freshly drawn weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from geo_lm4ve.blocks.base import BlockError, BlockReference, LayerWeights
from geo_lm4ve.blocks.final_norm import final_norm as final_norm_of
from geo_lm4ve.blocks.fingerprint import fingerprint
from geo_lm4ve.blocks.gated import GatedLayer
from geo_lm4ve.blocks.gated_architecture import FAMILIES, GEMMA, GatedArchitecture, complete
from geo_lm4ve.blocks.policy import AttentionPolicy
from geo_lm4ve.config import unknown


def architecture(name: str) -> dict[str, Any]:
    """A transformers config by name; BlockError lists the names."""
    if name not in ARCHITECTURES:
        raise BlockError(unknown("architecture", name, ARCHITECTURES))
    return dict(ARCHITECTURES[name])


def width(name: str) -> int:
    """Width D of an architecture's residual stream."""
    return complete(architecture(name)).hidden_size


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
    full = complete(config)
    indices = tuple(_index(layer, full.num_hidden_layers, name) for layer in layers)
    drawn = tuple(_draw(config, full, index, seed) for index in indices)
    norm = final_norm_of(full) if final_norm else None
    norm_tensors = {} if norm is None else {key: p.detach() for key, p in norm.named_parameters()}
    return LayerWeights(config, drawn, norm_tensors, BlockReference(f"random:{name}", indices, fingerprint(drawn)))


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


ARCHITECTURES: dict[str, dict[str, Any]] = {
    "smollm2_135m": {
        "model_type": "llama",
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "rms_norm_eps": 1e-5,
        "rope_theta": 100000.0,
        "max_position_embeddings": 8192,
        "initializer_range": 0.041666666666666664,
    },
    "llama_7b": {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "rms_norm_eps": 1e-6,
    },
}
