"""Whether the frozen block inside an official checkpoint is the one that the model has."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from geo_lm4ve.blocks.base import Block
from geo_lm4ve.blocks.fingerprint import fingerprint
from geo_lm4ve.blocks.sources.rotary import half_split

_NAMES = {
    "attention.wq": "self_attn.q_proj",
    "attention.wk": "self_attn.k_proj",
    "attention.wv": "self_attn.v_proj",
    "attention.wo": "self_attn.o_proj",
    "feed_forward.w1": "mlp.gate_proj",
    "feed_forward.w2": "mlp.down_proj",
    "feed_forward.w3": "mlp.up_proj",
    "attention_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
"""Meta's names inside a LLaMA layer -> transformers'."""

_HEAD_DIM = 128
"""Width of LLaMA's attention heads, in every size that the official code runs."""


def other_block(state: Mapping[str, Tensor], block: Block) -> str:
    """How a LLaMA block in Meta's names (``layers.0.…``, ``norm.weight``) differs from ``block``; "" if it does not.

    The layers are compared by fingerprint, the norm after them by its values.
    """
    if block.reference is None:
        return f"the model's block ({type(block).__name__}) is no layer of a language model"
    found = fingerprint(_layers(state))
    if found != block.reference.sha256:
        return f"sha256 {found[:12]}… is not that of {block.reference.source} ({block.reference.sha256[:12]}…)"
    norm = dict(block.named_parameters()).get("norm.weight")
    if norm is None or not torch.equal(norm.float().cpu(), state["norm.weight"].float()):
        return "the gains of the norm after it differ (the official code keeps them at one: block.final_norm=ones)"
    return ""


def _layers(state: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """The layers in transformers' names and row order."""
    layers: dict[int, dict[str, Tensor]] = {}
    for key, value in state.items():
        match = re.fullmatch(r"layers\.(\d+)\.(.+)\.weight", key)
        if match and match[2] in _NAMES:
            rotary = match[2] in ("attention.wq", "attention.wk")
            rows = half_split(value, len(value) // _HEAD_DIM) if rotary else value
            layers.setdefault(int(match[1]), {})[f"{_NAMES[match[2]]}.weight"] = rows
    return [layers[index] for index in sorted(layers)]
