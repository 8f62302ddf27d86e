"""The transformer parts that mmTransformer stacks: pre-norm encoder and decoder layers, and sinusoidal positions."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float
from torch import Tensor, nn


class MultiHeadAttention(nn.Module):
    """Multi-head attention to the visible ones of some elements.

    Attributes:
        query, key, value, out: the four projections.
    """

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def forward(
        self,
        queries: Float[Tensor, "b n d"],
        keys: Float[Tensor, "b m d"],
        values: Float[Tensor, "b m d"],
        visible: Bool[Tensor, "b m"] | None = None,
    ) -> Float[Tensor, "b n d"]:
        """What each query receives; where nothing is visible the mixed value is zero: only the output bias is left."""
        q, k, v = self._split(self.query(queries)), self._split(self.key(keys)), self._split(self.value(values))
        if visible is None:
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            some = visible.any(dim=1)[:, None, None, None]
            mask = visible[:, None, None, :] | ~some
            mixed = torch.where(some, F.scaled_dot_product_attention(q, k, v, attn_mask=mask), 0.0)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _split(self, values: Tensor) -> Tensor:
        return values.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _mlp(dim: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, dim))


class EncoderLayer(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, dim: int, heads: int, hidden: int):
        super().__init__()
        self.attention_norm, self.attention = nn.LayerNorm(dim), MultiHeadAttention(dim, heads)
        self.mlp_norm, self.mlp = nn.LayerNorm(dim), _mlp(dim, hidden)

    def forward(self, x: Float[Tensor, "b n d"], valid: Bool[Tensor, "b n"] | None) -> Float[Tensor, "b n d"]:
        """Elements that have looked at the valid ones."""
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, normed, valid)
        return x + self.mlp(self.mlp_norm(x))


class DecoderLayer(nn.Module):
    """Queries look at their own group, then at a memory; then an MLP. Each step is pre-norm and residual.

    As in the official code, the attention within a group norms its values only, not what it compares.
    """

    def __init__(self, dim: int, heads: int, hidden: int):
        super().__init__()
        self.self_norm, self.self_attention = nn.LayerNorm(dim), MultiHeadAttention(dim, heads)
        self.cross_norm, self.cross_attention = nn.LayerNorm(dim), MultiHeadAttention(dim, heads)
        self.mlp_norm, self.mlp = nn.LayerNorm(dim), _mlp(dim, hidden)

    def forward(
        self, queries: Float[Tensor, "b g k d"], memory: Float[Tensor, "b m d"], visible: Bool[Tensor, "b m"] | None
    ) -> Float[Tensor, "b g k d"]:
        """Queries in g groups of k per sample: attention among queries stays within a group, the memory is shared."""
        x = queries.flatten(0, 1)
        x = (x + self.self_attention(x, x, self.self_norm(x))).view_as(queries).flatten(1, 2)
        x = x + self.cross_attention(self.cross_norm(x), memory, memory, visible)
        return (x + self.mlp(self.mlp_norm(x))).view_as(queries)


class TransformerEncoder(nn.Module):
    """Encoder layers and a final norm."""

    def __init__(self, depth: int, dim: int, heads: int, hidden: int):
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(dim, heads, hidden) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Float[Tensor, "b n d"], valid: Bool[Tensor, "b n"] | None = None) -> Float[Tensor, "b n d"]:
        """Encoded elements; what stands in padding has no meaning."""
        for layer in self.layers:
            x = layer(x, valid)
        return self.norm(x)


class TransformerDecoder(nn.Module):
    """Decoder layers and a final norm."""

    def __init__(self, depth: int, dim: int, heads: int, hidden: int):
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(dim, heads, hidden) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)

    def forward(
        self,
        queries: Float[Tensor, "b g k d"],
        memory: Float[Tensor, "b m d"],
        visible: Bool[Tensor, "b m"] | None = None,
    ) -> Float[Tensor, "b g k d"]:
        """Decoded queries, in g groups of k per sample."""
        for layer in self.layers:
            queries = layer(queries, memory, visible)
        return self.norm(queries)


class SinusoidalPositions(nn.Module):
    """Adds sin and cos of the place in a sequence.

    Attributes:
        table: (longest, D) one row per place; stored in checkpoints because the official ones hold it.
    """

    table: Tensor

    def __init__(self, dim: int, longest: int = 5000):
        super().__init__()
        place = torch.arange(longest)[:, None]
        rate = torch.exp(torch.arange(0, dim, 2) * (-math.log(10000.0) / dim))
        self.register_buffer("table", torch.stack([(place * rate).sin(), (place * rate).cos()], dim=-1).flatten(1))

    def forward(self, x: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """The sequences with the places of their elements added."""
        return x + self.table[: x.shape[1]]
