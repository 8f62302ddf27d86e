"""Attention pooling and the small networks that read its vectors."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.indoor.encoders.mcan import DROPOUT, seen
from geo_lm4ve.tokens import TokenSet


class AttentionPool(nn.Module):
    """One vector of some tokens, weighted by an MLP, the valid ones alone; 2 D wide (official class ``AttFlat``)."""

    def __init__(self, dim: int):
        super().__init__()
        self.mlp = classifier(dim, dim, 1, DROPOUT)
        self.out = nn.Linear(dim, 2 * dim)

    def forward(self, tokens: TokenSet) -> Float[Tensor, "b e"]:
        """The weighted sum of the tokens through a linear layer."""
        return self.out((self.weights(tokens)[:, :, None] * tokens.features).sum(1))

    def weights(self, tokens: TokenSet) -> Float[Tensor, "b n"]:
        """How much each token counts: zero in padding, one in sum; all alike where all are padding."""
        visible, some = seen(tokens.valid)
        scores: Tensor = self.mlp(tokens.features)[..., 0]
        return F.softmax(torch.where(some, scores, 0.0).masked_fill(~visible, -torch.inf), dim=1)


def classifier(inputs: int, hidden: int, outputs: int, dropout: float) -> nn.Sequential:
    """A network with one hidden layer: GELU, dropout in training."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, outputs))
