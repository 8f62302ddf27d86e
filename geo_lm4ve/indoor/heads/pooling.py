"""What the heads are made of: the words that they read, attention pooling, small networks."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.calls import InputError
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


def words_of(tokens: TokenSet, name: str) -> TokenSet:
    """The words that an encoder has put into the context; InputError where it has read no such text."""
    if name not in tokens.context:
        raise InputError(
            f"this head reads {name}, and the tokens come with {', '.join(sorted(tokens.context)) or 'nothing'}: "
            "head=sqa3d goes with encoder=sqa3d, head=scanqa with both"
        )
    words: TokenSet = tokens.context[name]
    return words


def classifier(inputs: int, hidden: int, outputs: int, dropout: float) -> nn.Sequential:
    """A network with one hidden layer: GELU, dropout in training."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, outputs))
