"""What a block is put together from: filled layers, ours or transformers', and the norm after them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from geo_lm4ve.blocks import gated
from geo_lm4ve.blocks.base import BlockError, LayerWeights
from geo_lm4ve.blocks.choices import FinalNorm, Implementation
from geo_lm4ve.blocks.filling import fill
from geo_lm4ve.blocks.final_norm import final_norm as final_norm_of
from geo_lm4ve.blocks.gated_architecture import FAMILIES, traits
from geo_lm4ve.blocks.policy import AttentionPolicy


def is_ours(implementation: Implementation, family: str) -> bool:
    """Whether our own layer computes."""
    if implementation is Implementation.gated and family not in FAMILIES:
        raise BlockError(f"implementation: gated knows {', '.join(FAMILIES)}, not {family}; use auto or hf")
    return implementation is not Implementation.hf and family in FAMILIES


def filled_layers(
    weights: LayerWeights, policy: AttentionPolicy, held: torch.dtype | None, ours: bool
) -> Iterator[nn.Module]:
    """The layers, filled one after the other."""
    make_layer = gated.make_layer if ours else _transformers_layer
    for index, tensors in zip(weights.reference.layers, weights.layers):
        yield make_layer(weights.config, index, policy, tensors, held, weights.reference.source)


def _transformers_layer(*args: Any) -> nn.Module:
    from geo_lm4ve.blocks import hf  # imports transformers

    return hf.make_layer(*args)


def filled_norm(weights: LayerWeights, kind: FinalNorm) -> nn.Module:
    """The norm after the layers; a frozen one whatever its kind."""
    if kind is FinalNorm.off:
        return nn.Identity()
    full, tensors = traits(weights.config), weights.final_norm
    norm = final_norm_of(full)
    if kind is FinalNorm.loaded:
        if norm is None or not tensors:
            raise BlockError(
                f"final_norm: loaded, but {full.model_type} gives no weights of a final norm; use ones or off"
            )
        fill(norm, tensors, None, f"{weights.reference.source}, {full.model_type} final norm")
    return nn.Identity() if norm is None else norm.requires_grad_(False)
