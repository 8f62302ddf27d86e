"""Our decoder layer for RMSNorm + (grouped) attention + gated MLP: LLaMA, SmolLM2, Mistral, Qwen2, Qwen3, Gemma."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float, Int, Int64
from torch import Tensor, nn

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.filling import fill
from geo_lm4ve.blocks.gated_architecture import GatedArchitecture
from geo_lm4ve.blocks.policy import AttentionPolicy, places
from geo_lm4ve.blocks.precision import StoredLinear
from geo_lm4ve.config import unknown
from geo_lm4ve.tokens import take, true_places

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
}


class RMSNorm(nn.Module):
    """x / sqrt(mean(x²) + eps) · gain, in float32 at least; the gain is ``weight + offset`` (Gemma: offset 1)."""

    def __init__(self, dim: int, eps: float, offset: float = 0.0, device: str = "cpu"):
        super().__init__()
        self.eps, self.offset = eps, offset
        self.weight = nn.Parameter(torch.full((dim,), 1.0 - offset, device=device))

    def forward(self, x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
        """Normalised over the last dimension, in the dtype of ``x``."""
        wide = x if x.dtype == torch.float64 else x.float()
        gain = self.weight.to(wide.dtype) + self.offset
        return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps) * gain).to(x.dtype)


class Rotary(nn.Module):
    """Turns pairs (i, i + head_dim/2) of queries and keys by position · frequency_i (transformers' layout)."""

    def __init__(self, frequencies: Float[Tensor, " half"], scale: float):
        super().__init__()
        self.scale = scale
        self.frequencies: Tensor
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, x: Float[Tensor, "b h n e"], place: Int[Tensor, "b n"]) -> Float[Tensor, "b h n e"]:
        """``x`` turned by its tokens' positions ``place``."""
        wide = torch.promote_types(x.dtype, torch.float32)
        angle = (place[..., None].to(wide) * self.frequencies.to(wide))[:, None]
        cos, sin = (angle.cos() * self.scale).to(x.dtype), (angle.sin() * self.scale).to(x.dtype)
        first, second = x.chunk(2, dim=-1)
        return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class GatedAttention(nn.Module):
    """Multi-head attention with shared keys and values (GQA), bidirectional unless ``visible`` says otherwise."""

    def __init__(self, arch: GatedArchitecture, rotary: Rotary | None):
        super().__init__()
        self.arch, self.rotary = arch, rotary

        def linear(inputs: int, outputs: int, bias: bool) -> StoredLinear:
            return StoredLinear(inputs, outputs, bias=bias, device="meta")

        self.q_proj = linear(arch.dim, arch.heads * arch.head_dim, arch.qkv_bias)
        self.k_proj = linear(arch.dim, arch.kv_heads * arch.head_dim, arch.qkv_bias)
        self.v_proj = linear(arch.dim, arch.kv_heads * arch.head_dim, arch.qkv_bias)
        self.o_proj = linear(arch.heads * arch.head_dim, arch.dim, arch.output_bias)
        if arch.qk_norm:
            self.q_norm = RMSNorm(arch.head_dim, arch.norm_eps, arch.norm_offset, device="meta")
            self.k_norm = RMSNorm(arch.head_dim, arch.norm_eps, arch.norm_offset, device="meta")

    def forward(
        self,
        x: Float[Tensor, "b n d"],
        visible: Bool[Tensor, "b 1 _ n"],
        valid: Bool[Tensor, "b n"],
        rows: Int64[Tensor, "b q"] | None = None,
    ) -> Float[Tensor, "b q d"]:
        """The attention branch for the tokens that ``rows`` names, or all."""
        query, key, value = self._split(x, valid, rows)
        if self.arch.softcap is None:
            y = F.scaled_dot_product_attention(query, key, value, attn_mask=visible, scale=self.arch.query_scale)
        else:
            y = self._probabilities(query, key, visible) @ value
        return self.o_proj(y.transpose(1, 2).flatten(2))

    def probabilities(
        self, x: Float[Tensor, "b n d"], visible: Bool[Tensor, "b 1 _ n"], valid: Bool[Tensor, "b n"]
    ) -> Float[Tensor, "b h n n"]:
        """Attention scores after the softmax (paper section 6.1), one map per head."""
        query, key, _ = self._split(x, valid, None)
        return self._probabilities(query, key, visible)

    def _split(self, x: Tensor, valid: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values as (B, heads, N, head_dim), in the compute dtype."""
        asking = x if rows is None else take(x, rows)
        query, key, value = (
            projection(tokens).unflatten(-1, (-1, self.arch.head_dim)).transpose(1, 2)
            for projection, tokens in ((self.q_proj, asking), (self.k_proj, x), (self.v_proj, x))
        )
        if self.arch.qk_norm:
            query, key = self.q_norm(query), self.k_norm(key)
        if self.rotary is not None:
            place = places(valid)
            query = self.rotary(query, place if rows is None else take(place, rows))
            key = self.rotary(key, place)
        # Expanded by hand: under a mask, SDPA's own grouping falls back to its slowest kernel on CUDA.
        groups = self.arch.heads // self.arch.kv_heads
        return query, key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)

    def _probabilities(self, query: Tensor, key: Tensor, visible: Tensor) -> Tensor:
        score = query @ key.transpose(-1, -2) * self.arch.query_scale
        if self.arch.softcap is not None:
            score = torch.tanh(score / self.arch.softcap) * self.arch.softcap
        score = score.masked_fill(~visible, -torch.inf)
        return score.softmax(-1, dtype=torch.promote_types(score.dtype, torch.float32)).to(query.dtype)


class GatedMLP(nn.Module):
    """down(activation(gate(x)) · up(x))."""

    def __init__(self, arch: GatedArchitecture):
        super().__init__()
        if arch.activation not in ACTIVATIONS:
            raise BlockError(unknown("activation", str(arch.activation), ACTIVATIONS) + "; or implementation: hf")
        self.activation = ACTIVATIONS[arch.activation]
        self.gate_proj = StoredLinear(arch.dim, arch.hidden, bias=arch.mlp_bias, device="meta")
        self.up_proj = StoredLinear(arch.dim, arch.hidden, bias=arch.mlp_bias, device="meta")
        self.down_proj = StoredLinear(arch.hidden, arch.dim, bias=arch.mlp_bias, device="meta")

    def forward(self, x: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
        """The MLP branch."""
        return self.down_proj(self.activation(self.gate_proj(x)) * self.up_proj(x))


class GatedLayer(nn.Module):
    """One pre-norm decoder layer with its own two residuals; parameters are on ``meta`` until they are filled.

    Names of submodules and parameters are transformers', so that hooks, LoRA targets and weights fit both.

    Args:
        arch: the family's traits and sizes.
        layer: index in the model (rotary base and sliding window can differ between layers).
        policy: what attention may use.
    """

    def __init__(self, arch: GatedArchitecture, layer: int, policy: AttentionPolicy):
        super().__init__()

        def norm() -> RMSNorm:
            return RMSNorm(arch.dim, arch.norm_eps, arch.norm_offset, device="meta")

        self.policy, self.window = policy, arch.windows[layer]
        self.self_attn = GatedAttention(arch, Rotary(*arch.rotary(layer)) if policy.rotary else None)
        self.mlp = GatedMLP(arch)
        self.input_layernorm, self.post_attention_layernorm = norm(), norm()
        self.post_norms = arch.post_norms
        if arch.post_norms:
            self.pre_feedforward_layernorm, self.post_feedforward_layernorm = norm(), norm()

    def forward(
        self,
        h: Float[Tensor, "b n d"],
        valid: Bool[Tensor, "b n"],
        rows: Int64[Tensor, "b q"] | None = None,
        real: int | None = None,
    ) -> Float[Tensor, "b q d"]:
        """The residual stream after this layer; rows without any valid token are not zeroed here.

        With ``rows`` only the tokens it names come out: the others give keys and values, and nothing more is computed
        for them. Padding never enters the MLP.

        Args:
            h: the residual stream before this layer.
            valid: which tokens are real.
            rows: which tokens are asked for; None: all.
            real: how many of those are valid; None: the mask is asked.
        """
        visible = self.policy.visible(valid, self.window, rows)
        y = self.self_attn(self.input_layernorm(h), visible, valid, rows)
        if rows is not None:
            h, valid = take(h, rows), take(valid, rows)
        h = h + (self.post_attention_layernorm(y) if self.post_norms else y)
        real = int(valid.sum()) if real is None else real
        if real == valid.numel():
            return h + self._feed_forward(h)
        places = true_places(valid, real)
        kept = h[places]
        return h.index_put(places, kept + self._feed_forward(kept))

    def _feed_forward(self, h: Tensor) -> Tensor:
        """The MLP branch of each token by itself, (..., D)."""
        if self.post_norms:
            return self.post_feedforward_layernorm(self.mlp(self.pre_feedforward_layernorm(h)))
        return self.mlp(self.post_attention_layernorm(h))

    def attention(self, h: Float[Tensor, "b n d"], valid: Bool[Tensor, "b n"]) -> Float[Tensor, "b h n n"]:
        """Attention scores of this layer for the residual stream before it."""
        visible = self.policy.visible(valid, self.window)
        return self.self_attn.probabilities(self.input_layernorm(h), visible, valid)


def make_layer(
    config: Mapping[str, Any],
    layer: int,
    policy: AttentionPolicy,
    tensors: Mapping[str, Tensor],
    dtype: torch.dtype | None,
    place: str,
) -> GatedLayer:
    """A filled layer; BlockError when ``tensors`` are not its weights."""
    arch = GatedArchitecture.from_config(config)
    module = GatedLayer(arch, layer, policy)
    fill(module, tensors, dtype, f"{place}, {arch.family} layer {layer}")
    return module
