"""VoteNet's voting: every seed says where it takes the centre of its object to be (arXiv 1904.09664, section 4.1)."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.indoor.encoders.backbone import Seeds
from geo_lm4ve.layers.folded_norm import NormedLinear


class Votes(NamedTuple):
    """One vote per seed: a place (S, V, 3) [m] with features (S, V, C) of length 1, and the seeds."""

    points: Float[Tensor, "s v 3"]
    features: Float[Tensor, "s v c"]
    seeds: Seeds


class Voting(nn.Module):
    """A shared MLP gives the offset of each seed's vote and what is added to its features.

    Attributes:
        hidden: two layers, which have biases though a norm follows, as officially.
        out: 3 + C outputs.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.hidden = nn.ModuleList(NormedLinear(dim, dim, bias=True) for _ in range(2))
        self.out = nn.Linear(dim, 3 + dim)

    def forward(self, seeds: Seeds) -> Votes:
        """The votes; their features are divided by their length, without an epsilon."""
        x = seeds.features
        for layer in self.hidden:
            x = layer(x, relu=True)
        offset, change = self.out(x).tensor_split([3], dim=-1)
        features = seeds.features + change
        return Votes(seeds.points + offset, features / features.norm(dim=-1, keepdim=True), seeds)
