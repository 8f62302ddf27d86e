"""Layers of MCAN: tokens look at their own kind, then at another (arXiv 1906.10770); post-norm, as ScanQA has them."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float
from torch import Tensor, nn

DROPOUT = 0.1
"""In training, of attention, of hidden units and of what is added to a token."""
_EPSILON = 1e-6
_WIDENING = 4


class DeviationNorm(nn.Module):
    """weight (x - mean) / (std + 1e-6) + bias over the last axis, std with the divisor D - 1 (no ``nn.LayerNorm``)."""

    def __init__(self, dim: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.zeros(dim))

    def forward(self, x: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """Normalised tokens."""
        centred = x - x.mean(-1, keepdim=True)
        return self.weight * centred / (x.std(-1, keepdim=True) + _EPSILON) + self.bias


def seen(valid: Bool[Tensor, "b n"]) -> tuple[Bool[Tensor, "b n"], Bool[Tensor, "b 1"]]:
    """What is looked at of tokens some of which are padding: the others, or all if there are none; and whether so.

    Where all are padding, ScanQA's mask gives each of them the same weight.
    """
    some = valid.any(1, keepdim=True)
    return valid | ~some, some


class Attention(nn.Module):
    """Multi-head attention to the valid ones of some tokens; to all alike where none is valid."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def forward(
        self, x: Float[Tensor, "b n d"], memory: Float[Tensor, "b m d"], valid: Bool[Tensor, "b m"]
    ) -> Float[Tensor, "b n d"]:
        """What each token of ``x`` receives of ``memory``."""
        visible, some = seen(valid)
        q, k, v = self._split(self.query(x)), self._split(self.key(memory)), self._split(self.value(memory))
        q = q * some[:, None, None]  # a query of zeros weighs all keys alike
        dropout = DROPOUT if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=visible[:, None, None, :], dropout_p=dropout)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _split(self, values: Tensor) -> Tensor:
        return values.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _mlp(dim: int) -> nn.Sequential:
    hidden = _WIDENING * dim
    return nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Dropout(DROPOUT), nn.Linear(hidden, dim))


class SelfLayer(nn.Module):
    """Tokens look at the valid ones among themselves, then an MLP (official class ``SA``)."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.attention, self.attention_norm = Attention(dim, heads), DeviationNorm(dim)
        self.mlp, self.mlp_norm = _mlp(dim), DeviationNorm(dim)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Float[Tensor, "b n d"], valid: Bool[Tensor, "b n"]) -> Float[Tensor, "b n d"]:
        """New features; padding gets some, too, which nobody should read."""
        x = self.attention_norm(x + self.dropout(self.attention(x, x, valid)))
        return self.mlp_norm(x + self.dropout(self.mlp(x)))


class GuidedLayer(nn.Module):
    """Tokens look at themselves, then at others, then an MLP (official class ``SGA``)."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.self_attention, self.self_norm = Attention(dim, heads), DeviationNorm(dim)
        self.cross_attention, self.cross_norm = Attention(dim, heads), DeviationNorm(dim)
        self.mlp, self.mlp_norm = _mlp(dim), DeviationNorm(dim)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(
        self,
        x: Float[Tensor, "b n d"],
        valid: Bool[Tensor, "b n"],
        guide: Float[Tensor, "b m d"],
        guide_valid: Bool[Tensor, "b m"],
    ) -> Float[Tensor, "b n d"]:
        """New features of ``x``, as of ``SelfLayer``."""
        x = self.self_norm(x + self.dropout(self.self_attention(x, x, valid)))
        x = self.cross_norm(x + self.dropout(self.cross_attention(x, guide, guide_valid)))
        return self.mlp_norm(x + self.dropout(self.mlp(x)))
