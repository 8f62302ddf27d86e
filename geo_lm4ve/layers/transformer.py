"""Transformer parts shared by the encoders."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float
from torch import Tensor, nn

from geo_lm4ve.tokens import TokenSet


class DropPath(nn.Module):
    """Stochastic depth: in training a sample loses this residual branch with probability ``rate``.

    The branches that stay are divided by ``1 - rate``, so the expectation is the same as in eval mode.
    """

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate

    def forward(self, x: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """The branch with some samples dropped."""
        if not self.training or self.rate == 0:
            return x
        keep = torch.rand(len(x), 1, 1, device=x.device) >= self.rate
        return x * keep / (1 - self.rate)

    def extra_repr(self) -> str:
        """The rate, for printing."""
        return f"rate={self.rate:.4g}"


class Attention(nn.Module):
    """Multi-head self-attention among the valid tokens of a set.

    The rows of ``qkv`` are queries, keys and values in this order, each of them split into heads.
    """

    def __init__(self, dim: int, heads: int, qkv_bias: bool = False):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Float[Tensor, "b n d"], valid: Bool[Tensor, "b n"]) -> Float[Tensor, "b n d"]:
        """Each token's mixture of the valid tokens' values; what padding receives has no meaning."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        # A sample without any valid token attends to everything: no softmax over nothing, hence no NaN.
        visible = valid | ~valid.any(dim=1, keepdim=True)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=visible[:, None, None, :])
        return self.out(mixed.transpose(1, 2).flatten(2))


class TransformerBlock(nn.Module):
    """Pre-norm ViT block as a stage: x + attention(norm(x)), then x + mlp(norm(x)), each branch under drop path."""

    def __init__(
        self,
        dim: int,
        heads: int,
        mlp_ratio: float = 4.0,
        drop_path: float = 0.0,
        qkv_bias: bool = False,
        epsilon: float = 1e-5,
    ):
        super().__init__()
        hidden = int(dim * mlp_ratio)
        self.attention_norm = nn.LayerNorm(dim, epsilon)
        self.attention = Attention(dim, heads, qkv_bias)
        self.mlp_norm = nn.LayerNorm(dim, epsilon)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))
        self.drop_path = DropPath(drop_path) if drop_path else nn.Identity()

    def forward(self, tokens: TokenSet) -> TokenSet:
        """The token set with updated features; what stands in padding has no meaning."""
        x = tokens.features
        x = x + self.drop_path(self.attention(self.attention_norm(x), tokens.valid))
        return tokens.replace(features=x + self.drop_path(self.mlp(self.mlp_norm(x))))
