"""The norm that a language model has after its last layer."""

from __future__ import annotations

from typing import Any

from torch import nn

from geo_lm4ve.blocks.gated import RMSNorm
from geo_lm4ve.blocks.gated_architecture import GEMMA
from geo_lm4ve.blocks.precision import StoredLayerNorm

_LAYER_NORM_EPS = ("layer_norm_eps", "layer_norm_epsilon", "norm_epsilon")
"""Under which names families keep it; OPT keeps none and has PyTorch's 1e-5."""


def final_norm(full: Any) -> nn.Module | None:
    """The final norm of a completed transformers config with a gain of one; None where the model has none.

    Models with ``rms_norm_eps`` have an RMSNorm, others a LayerNorm. OPT-350M normalises after each branch and has
    no final norm.
    """
    if getattr(full, "do_layer_norm_before", True) is False:
        return None
    if hasattr(full, "rms_norm_eps"):
        return RMSNorm(full.hidden_size, full.rms_norm_eps, 1.0 if full.model_type in GEMMA else 0.0)
    named = [getattr(full, name) for name in _LAYER_NORM_EPS if hasattr(full, name)]
    return StoredLayerNorm(full.hidden_size, eps=named[0] if named else 1e-5)
