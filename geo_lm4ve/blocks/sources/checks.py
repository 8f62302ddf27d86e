"""Refuses layers that are incomplete, of the wrong shape, quantised beyond recognition or not finite."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources.layout import width_and_heads

_STORED = (torch.float32, torch.float16, torch.bfloat16, torch.float64)

_Shapes = dict[str, tuple[str | None, ...]]

_ATTENTION: _Shapes = {
    "self_attn.q_proj.weight": ("query", "hidden"),
    "self_attn.k_proj.weight": ("key_value", "hidden"),
    "self_attn.v_proj.weight": ("key_value", "hidden"),
}
_GATED: _Shapes = _ATTENTION | {
    "self_attn.o_proj.weight": ("hidden", "query"),
    "mlp.gate_proj.weight": ("ffn", "hidden"),
    "mlp.up_proj.weight": ("ffn", "hidden"),
    "mlp.down_proj.weight": ("hidden", "ffn"),
    "input_layernorm.weight": ("hidden",),
    "post_attention_layernorm.weight": ("hidden",),
}
_QKV_BIAS: _Shapes = {
    "self_attn.q_proj.bias": ("query",),
    "self_attn.k_proj.bias": ("key_value",),
    "self_attn.v_proj.bias": ("key_value",),
}
_QK_NORM: _Shapes = {"self_attn.q_norm.weight": ("head",), "self_attn.k_norm.weight": ("head",)}
_SANDWICH: _Shapes = {
    "pre_feedforward_layernorm.weight": ("hidden",),
    "post_feedforward_layernorm.weight": ("hidden",),
}
_OPT: _Shapes = _ATTENTION | {
    "self_attn.out_proj.weight": ("hidden", "query"),
    "fc1.weight": ("ffn", "hidden"),
    "fc2.weight": ("hidden", "ffn"),
}
_GPT2: _Shapes = {
    "ln_1.weight": ("hidden",),
    "attn.c_attn.weight": ("hidden", None),
    "attn.c_proj.weight": ("hidden", "hidden"),
    "ln_2.weight": ("hidden",),
    "mlp.c_fc.weight": ("hidden", "ffn"),
    "mlp.c_proj.weight": ("ffn", "hidden"),
}
_NEOX: _Shapes = {
    "input_layernorm.weight": ("hidden",),
    "post_attention_layernorm.weight": ("hidden",),
    "attention.query_key_value.weight": (None, "hidden"),
    "attention.dense.weight": ("hidden", "hidden"),
    "mlp.dense_h_to_4h.weight": ("ffn", "hidden"),
    "mlp.dense_4h_to_h.weight": ("hidden", "ffn"),
}
REQUIRED: dict[str, _Shapes] = {
    "llama": _GATED,
    "mistral": _GATED,
    "qwen2": _GATED | _QKV_BIAS,
    "qwen3": _GATED | _QK_NORM,
    "smollm3": _GATED,
    "gemma": _GATED,
    "gemma2": _GATED | _SANDWICH,
    "gemma3_text": _GATED | _SANDWICH | _QK_NORM,
    "opt": _OPT,
    "gpt2": _GPT2,
    "gpt_neox": _NEOX,
}
"""By ``model_type``: keys that a layer of that family must have, with their shapes. Other families are not checked
here; transformers' own layer class, loaded strictly, checks them when the block is built."""


def _sizes(config: dict[str, Any]) -> dict[str, int | None]:
    """The sizes that shapes are made of; None where the config leaves one to the family's default."""
    hidden, heads = width_and_heads(config)
    head = config.get("head_dim")
    if head is None and hidden and heads and config.get("model_type") in ("llama", "mistral", "qwen2", "opt"):
        head = hidden // heads
    groups = heads if config.get("model_type") == "opt" else config.get("num_key_value_heads")
    ffn = config.get("intermediate_size") or config.get("ffn_dim") or config.get("n_inner")
    return {
        "hidden": hidden,
        "head": head,
        "query": heads * head if heads and head else None,
        "key_value": groups * head if groups and head else None,
        "ffn": ffn if isinstance(ffn, int) else None,
    }


def check_layer(tensors: dict[str, Tensor], config: dict[str, Any], where: str) -> None:
    """Refuse a layer that cannot be what its config says.

    Raises:
        BlockError: a required key is missing, a shape differs from the config, a dtype is no plain floating point
            (GPTQ, AWQ, bitsandbytes, fp8), or a value is NaN or infinite. The message names key and place.
    """
    sizes = _sizes(config)
    for key, axes in REQUIRED.get(str(config.get("model_type")), {}).items():
        if key not in tensors:
            raise BlockError(f"{where} lacks {key}; a {config['model_type']} layer has it: fetch the checkpoint again")
        _check_shape(tensors[key], tuple(sizes[axis] if axis else None for axis in axes), f"{where}, {key}")
    for key, tensor in tensors.items():
        check_values(tensor, f"{where}, {key}")


def _check_shape(tensor: Tensor, expected: tuple[int | None, ...], where: str) -> None:
    """Compare with the shape by the config, None standing for any size."""
    shape = tuple(tensor.shape)
    if len(shape) != len(expected) or any(e is not None and e != s for e, s in zip(expected, shape)):
        text = " x ".join("?" if size is None else str(size) for size in expected)
        raise BlockError(
            f"{where} has shape {list(shape)}, but the config asks for {text}; do the two belong together?"
        )


def check_values(tensor: Tensor, where: str) -> None:
    """Refuse anything but finite floating-point numbers."""
    if tensor.dtype not in _STORED:
        raise BlockError(
            f"{where} is stored as {tensor.dtype}: a quantised checkpoint; use the unquantised one, or its GGUF"
        )
    if tensor.numel() and not bool(torch.isfinite(torch.stack(torch.aminmax(tensor))).all()):
        raise BlockError(f"{where} holds NaN or infinite values: the file is damaged; fetch it again")
