"""Transformers' own models at tiny size, in float64 throughout, as the reference of our layers."""

import sys
from typing import Any

import pytest
import torch
from tiny_models import MODELS
from torch import Tensor, nn

from geo_lm4ve.blocks.base import BlockReference, LayerWeights
from geo_lm4ve.blocks.gated_architecture import complete

LAYERS = (0, 1)


class _DoubleTorch:
    """The torch module for code that rounds to float32 on purpose (norms, softmax, rotary): it gets float64."""

    def __getattr__(self, name: str) -> Any:
        return torch.float64 if name in ("float32", "float") else getattr(torch, name)


def model_of(family: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """A transformers model with the eager attention, random weights and silent learned positions."""
    from transformers import AutoModel

    config = complete(MODELS[family].config)
    config.vocab_size, config.pad_token_id = 8, 0
    cls = AutoModel._model_mapping[type(config)]
    if dtype == torch.float64:
        monkeypatch.setattr(sys.modules[cls.__module__], "torch", _DoubleTorch())
        monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    torch.manual_seed(0)
    model = cls._from_config(config, attn_implementation="eager").eval().requires_grad_(False).to(dtype)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            parameter.normal_(0.0, 0.0 if "embed_positions" in name or "wpe" in name else 0.15)
        else:
            parameter.normal_(1.0, 0.3)
    return model


def stack_of(model: nn.Module) -> nn.ModuleList:
    """Its list of layers."""
    return next(module for module in model.modules() if isinstance(module, nn.ModuleList))


def final_norm_of(model: nn.Module) -> nn.Module | None:
    """Its norm after the last layer."""
    inner = getattr(model, "decoder", model)
    names = ("norm", "final_layer_norm", "ln_f", "final_layernorm")
    return next((norm for name in names if (norm := getattr(inner, name, None)) is not None), None)


def weights_of(model: nn.Module, family: str) -> LayerWeights:
    """Its layers as a source of weights would give them."""
    layers = tuple(dict(stack_of(model)[i].named_parameters()) for i in LAYERS)
    norm = final_norm_of(model)
    final = {} if norm is None else dict(norm.named_parameters())
    return LayerWeights(MODELS[family].config, layers, final, BlockReference("test", LAYERS, ""))


def unordered(model: nn.Module, x: Tensor, valid: Tensor) -> Tensor:
    """The paper's policy by hand: every layer called with an additive padding mask and the identity rotation."""
    mask = torch.zeros(valid.shape, dtype=x.dtype).masked_fill(~valid, torch.finfo(x.dtype).min)[:, None, None, :]
    arguments: dict[str, Any] = {"attention_mask": mask}
    config = model.config
    if getattr(config, "rope_parameters", None):
        head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        flat = config.rope_parameters if "rope_type" in config.rope_parameters else {}
        width = int(head * flat.get("partial_rotary_factor", 1.0))
        ones = torch.ones(1, 1, width, dtype=x.dtype)
        arguments["position_embeddings"] = (ones, torch.zeros_like(ones))
    for layer in stack_of(model):
        y = layer(x, **arguments)
        x = y[0] if isinstance(y, tuple) else y
    return x
