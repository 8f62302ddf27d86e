"""Layers of PointNeXt: shared MLPs over neighbourhoods, set abstraction, inverted residual MLP."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float, Int
from torch import Tensor, nn

from geo_lm4ve.geometry import kernels
from geo_lm4ve.geometry.grouping import gather, group_by_radius
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.layers.folded_norm import NormedLinear, folded, normed
from geo_lm4ve.tokens import TokenSet

SPAN = "points"
"""Name of the only span: the points that a stage has left."""


class NeighbourhoodMlp(nn.Module):
    """[offset; feature] of every neighbour through layers with batch norm, ReLU between them, then the maximum.

    The published form gathers the features and multiplies W [offset; feature] for every neighbour. Here W = [W_o | W_f]
    is applied as W_f f, once per point, gathered afterwards, plus W_o o: the same function with fewer products. The
    ReLU after the last layer, where there is one, follows the maximum, with which it commutes.

    Attributes:
        layers: the layers; the first takes three channels more than the features have.
    """

    def __init__(self, widths: Sequence[int]):
        super().__init__()
        inputs, *outputs = widths
        self.layers = nn.ModuleList(NormedLinear(*sizes) for sizes in pairwise([3 + inputs, *outputs]))

    def forward(
        self, offsets: Float[Tensor, "b m k 3"], features: Float[Tensor, "b n c"], idx: Int[Tensor, "b m k"] | None
    ) -> Float[Tensor, "b m d"]:
        """A feature per neighbourhood, before any ReLU.

        Args:
            offsets: of the neighbours, in units of the radius.
            features: of all points.
            idx: the neighbours among the points; None: one neighbourhood of all points.
        """
        first, *rest = cast("list[NormedLinear]", list(self.layers))
        weight, bias = folded(first.linear, first.norm)
        of_point = F.linear(features, weight[:, 3:], bias)
        of_neighbour = of_point[:, None] if idx is None else gather(of_point, idx)
        x = F.linear(offsets.to(features.dtype), weight[:, :3]).add_(of_neighbour)
        x = normed(x, first.norm, relu=bool(rest))
        for layer in rest:
            x = layer(x, relu=layer is not rest[-1])
        # The gradient of amax is shared among repeated neighbours, in five passes; without one, amax is the faster.
        return x.max(dim=2).values if x.requires_grad else x.amax(dim=2)


class InvertedResidual(nn.Module):
    """InvResMLP: features of the neighbours among the same points through an MLP that widens, added to the input."""

    def __init__(self, dim: int, expansion: int):
        super().__init__()
        self.local = NeighbourhoodMlp([dim, dim])
        self.widen, self.narrow = NormedLinear(dim, expansion * dim), NormedLinear(expansion * dim, dim)

    def forward(
        self, offsets: Float[Tensor, "b m k 3"], features: Float[Tensor, "b m c"], idx: Int[Tensor, "b m k"]
    ) -> Float[Tensor, "b m c"]:
        """New features of the points; arguments as of ``NeighbourhoodMlp``."""
        read = self.local(offsets, features, idx).relu()
        return (self.narrow(self.widen(read, relu=True)) + features).relu()


class SetAbstraction(nn.Module):
    """Every second point by farthest point sampling, with a feature out of its neighbourhood.

    Attributes:
        radius: of the neighbourhoods, in the unit of the points.
        neighbours: points k of each: the first k in index order, so that the result depends on the order of points.
        block_radius: radius of the neighbourhoods in ``blocks``.
        ordered: the points already stand in the order of farthest point sampling, which need not run again then where
            ``is_own_sample`` holds.
        mlp: what makes a feature of a neighbourhood.
        skip: takes the feature of the sampled point past ``mlp``; None: nothing does.
        blocks: inverted residual MLPs on the sampled points, counted from 1.
    """

    def __init__(
        self, widths: Sequence[int], radius: float, neighbours: int, *, ordered: bool, residual: bool,
        blocks: int = 0, block_radius: float = 0.0, expansion: int = 4,
    ):  # fmt: skip
        super().__init__()
        self.radius, self.neighbours, self.block_radius, self.ordered = radius, neighbours, block_radius, ordered
        self.mlp = NeighbourhoodMlp(widths)
        self.skip = nn.Linear(widths[0], widths[-1]) if residual else None
        self.blocks = nn.ModuleDict({str(1 + i): InvertedResidual(widths[-1], expansion) for i in range(blocks)})

    def forward(self, tokens: TokenSet) -> TokenSet:
        """Half as many points, in the order of sampling; ``positions`` are theirs."""
        positions, features = _placed(tokens)
        centers, kept = self.sample(positions, features)
        offsets, idx = group_by_radius(positions, centers, self.radius, self.neighbours, scaled=True, finite=True)
        x = self.mlp(offsets, features, idx)
        x = (x if self.skip is None else x + self.skip(kept)).relu()
        if self.blocks:
            offsets, idx = group_by_radius(
                centers, centers, self.block_radius, self.neighbours, scaled=True, finite=True
            )
        for block in self.blocks.values():
            x = block(offsets, x, idx)
        return point_tokens(x, centers)

    def sample(
        self, positions: Float[Tensor, "b n 3"], features: Float[Tensor, "b n c"]
    ) -> tuple[Float[Tensor, "b m 3"], Float[Tensor, "b m c"]]:
        """Positions and features of the points that stay."""
        count = positions.shape[1] // 2
        if self.ordered and is_own_sample(positions):
            return positions[:, :count], features[:, :count]
        idx = farthest_point_sample(positions, count, finite=True)
        return gather(positions, idx), gather(features, idx)


class GroupAll(nn.Module):
    """Last stage: one feature out of all points, their offsets being the coordinates as they are."""

    def __init__(self, widths: Sequence[int]):
        super().__init__()
        self.mlp = NeighbourhoodMlp(widths)

    def forward(self, tokens: TokenSet) -> TokenSet:
        """One token per cloud, at the origin."""
        positions, features = _placed(tokens)
        x = self.mlp(positions[:, None], features, None).relu()
        return point_tokens(x, positions.new_zeros(len(x), 1, 3))


def is_own_sample(positions: Float[Tensor, "b n 3"]) -> bool:
    """Whether points in the order of farthest point sampling are their own farthest point sample, ties included.

    Each was the farthest one of all, hence of these; of equally far ones plain torch takes the first, which it did
    before. Other kernels break ties as they like, and are asked again. What repeats when all positions are taken stays
    the same position, by another index.
    """
    working = torch.promote_types(positions.dtype, torch.float32)
    return kernels.choose("farthest_point_sample", positions.device, working).implementation == kernels.TORCH


def point_tokens(features: Float[Tensor, "b m d"], positions: Float[Tensor, "b m 3"]) -> TokenSet:
    """The token set of a stage: its points, none of them padding."""
    return TokenSet.full(features, {SPAN: (0, features.shape[1])}, positions=positions)


def _placed(tokens: TokenSet) -> tuple[Tensor, Tensor]:
    """Positions and features; ValueError where nobody says where the tokens are."""
    if tokens.positions is None:
        raise ValueError("a stage of PointNeXt needs token positions (B, N, 3): give the token set positions=")
    return tokens.positions, tokens.features
