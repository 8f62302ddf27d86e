"""Transformer parts shared by the encoders."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float
from torch import Tensor, nn

from geo_lm4ve.config import ConfigError
from geo_lm4ve.tokens import TokenSet

SPREAD = 0.02
"""Standard deviation of the truncated normal distribution that vision transformers' weights are drawn from (DeiT)."""

QKVBias = Enum("QKVBias", ["none", "query_value", "all"])
"""Which of queries, keys and values have a bias: none (Point-BERT), all but keys (BEiT, VideoMAE) or all (ViT)."""


def check_blocks(values: Mapping[str, Any]) -> None:
    """Refuse settings of an encoder of which no transformer blocks can be made; raises ConfigError.

    Args:
        values: ``dim``, ``depth``, ``heads``, ``mlp_ratio``, ``drop_path`` and ``epsilon`` among the encoder's fields.
    """
    dim, heads = values["dim"], values["heads"]
    for key in ("dim", "depth", "heads"):
        if values[key] < 1:
            raise ConfigError(f"encoder.{key} must be at least 1, not {values[key]}")
    if dim % heads:
        raise ConfigError(f"encoder.dim {dim} must be a multiple of encoder.heads {heads}")
    if int(dim * values["mlp_ratio"]) < 1:
        raise ConfigError(f"encoder.mlp_ratio {values['mlp_ratio']} leaves no hidden units at encoder.dim {dim}")
    for key in ("drop_path", "epsilon"):
        if not 0 <= values[key] < 1:
            raise ConfigError(f"encoder.{key} must be in [0, 1), not {values[key]}")


def draw_linear(module: nn.Module, scale: float = 1.0) -> None:
    """DeiT's initialisation of a linear layer times ``scale``, bias zero; what is no linear layer stays as it is."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=SPREAD * scale)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def block_stages(values: Mapping[str, Any], bias: QKVBias) -> dict[str, TransformerBlock]:
    """The stages ``block_0``, ..., ``block_<depth-1>`` of an encoder; their drop path rises linearly from 0.

    Args:
        values: as of ``check_blocks``.
        bias: of queries, keys and values.
    """
    depth = values["depth"]
    return {
        f"block_{place}": TransformerBlock(
            values["dim"], values["heads"], values["mlp_ratio"], values["drop_path"] * place / max(depth - 1, 1), bias,
            values["epsilon"],
        )
        for place in range(depth)
    }  # fmt: skip


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


class QueryValueLinear(nn.Linear):
    """Linear layer d -> 3 d whose first and last d outputs have a bias: queries and values, not the keys between them.

    Attributes:
        q_bias, v_bias: (d,) these biases.
    """

    def __init__(self, dim: int):
        super().__init__(dim, 3 * dim, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(dim))
        self.v_bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x: Float[Tensor, "*b d"]) -> Float[Tensor, "*b e"]:
        """Queries, keys and values side by side."""
        return F.linear(x, self.weight, torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias]))


class Attention(nn.Module):
    """Multi-head self-attention among the valid tokens of a set.

    The rows of ``qkv`` are queries, keys and values in this order, each of them split into heads.
    """

    def __init__(self, dim: int, heads: int, bias: QKVBias = QKVBias.none):
        super().__init__()
        self.heads = heads
        of_two = bias is QKVBias.query_value
        self.qkv = QueryValueLinear(dim) if of_two else nn.Linear(dim, 3 * dim, bias=bias is QKVBias.all)
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
        bias: QKVBias = QKVBias.none,
        epsilon: float = 1e-5,
    ):
        super().__init__()
        hidden = int(dim * mlp_ratio)
        self.attention_norm = nn.LayerNorm(dim, epsilon)
        self.attention = Attention(dim, heads, bias)
        self.mlp_norm = nn.LayerNorm(dim, epsilon)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))
        self.drop_path = DropPath(drop_path) if drop_path else nn.Identity()

    def forward(self, tokens: TokenSet) -> TokenSet:
        """The token set with updated features; what stands in padding has no meaning."""
        x = tokens.features
        x = x + self.drop_path(self.attention(self.attention_norm(x), tokens.valid))
        return tokens.replace(features=x + self.drop_path(self.mlp(self.mlp_norm(x))))
