"""The tensors of a LLaMA layer as Meta's files name, order and cut them: one table for all who read such files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from torch import Tensor

from geo_lm4ve.blocks.sources.rotary import half_split

QUERY, GATE = "attention.wq.weight", "feed_forward.w1.weight"
"""The keys whose shapes tell the number of shards and the width of the MLP."""

_NUMBERED = re.compile(r"layers\.(\d+)\.(.+)")


@dataclass(frozen=True)
class MetaTensor:
    """One tensor of a layer.

    Attributes:
        ours: its key in transformers' layers.
        axis: along which model-parallel shards are joined; None: repeated in every shard.
        rotary: its rows stand in Meta's order of rotary components.
    """

    ours: str
    axis: int | None = None
    rotary: bool = False

    def reordered(self, whole: Tensor, head_dim: int) -> Tensor:
        """The joined tensor with its rows in transformers' order; heads are ``head_dim`` rows each."""
        if self.rotary and (whole.ndim != 2 or head_dim < 1 or len(whole) % head_dim):
            raise ValueError(f"{self.ours} of shape {list(whole.shape)} is not made of heads of {head_dim} rows")
        return half_split(whole, len(whole) // head_dim) if self.rotary else whole


LAYER = {
    QUERY: MetaTensor("self_attn.q_proj.weight", axis=0, rotary=True),
    "attention.wk.weight": MetaTensor("self_attn.k_proj.weight", axis=0, rotary=True),
    "attention.wv.weight": MetaTensor("self_attn.v_proj.weight", axis=0),
    "attention.wo.weight": MetaTensor("self_attn.o_proj.weight", axis=1),
    GATE: MetaTensor("mlp.gate_proj.weight", axis=0),
    "feed_forward.w2.weight": MetaTensor("mlp.down_proj.weight", axis=1),
    "feed_forward.w3.weight": MetaTensor("mlp.up_proj.weight", axis=0),
    "attention_norm.weight": MetaTensor("input_layernorm.weight"),
    "ffn_norm.weight": MetaTensor("post_attention_layernorm.weight"),
}
"""By Meta's key. Rotary frequencies (``layers.N.attention.inner_attention.rope.freqs``) are constants, not weights."""

FINAL_NORM = "norm.weight"
"""The norm after the last layer; repeated in every shard."""


def layer_tensor(name: str) -> tuple[int, MetaTensor] | None:
    """Index of the layer and what the tensor is in it; None for whatever is no layer's weight."""
    match = _NUMBERED.fullmatch(name)
    return (int(match[1]), LAYER[match[2]]) if match and match[2] in LAYER else None
