"""Polylines as sets of vectors, and the network that pools each of them (VectorNet, arXiv 2005.04259, 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch_geometric.utils import scatter

from geo_lm4ve.tokens import true_places
from geo_lm4ve.traffic.batch import SceneBatch
from geo_lm4ve.traffic.sizes import real_pieces


@dataclass(frozen=True)
class Vectors:
    """Vectors of ragged polylines.

    Attributes:
        features: (V, C) features of all vectors.
        polyline: (V,) polyline that each vector belongs to.
        count: number of polylines; one may have no vectors.
    """

    features: Float[Tensor, "v c"]
    polyline: Int64[Tensor, " v"]
    count: int


class Level(nn.ModuleList):
    """An MLP on each vector with the maximum over its polyline beside it."""

    def forward(
        self, local: Float[Tensor, "v c"], pooled: Float[Tensor, "p m"], polyline: Int64[Tensor, " v"]
    ) -> Float[Tensor, "v w"]:
        """Features of all vectors.

        The first layer's share of the maximum is computed once per polyline and not for each of its vectors: a quarter
        of the network's time.
        """
        first, width = cast(nn.Linear, self[0]), local.shape[1]
        x = F.linear(local, first.weight[:, :width], first.bias)
        x = x + F.linear(pooled, first.weight[:, width:]).index_select(0, polyline)
        for part in self[1:]:
            x = part(x)
        return x


class PolylineNet(nn.Module):
    """Vectors of ragged polylines -> one feature per polyline, whatever the order and number of its vectors.

    Each level runs an MLP on every vector and puts the maximum over the polyline beside it. The maximum over the last
    level's output consists of that maximum twice.

    Attributes:
        dim: width of a polyline's feature: twice the last level's.
    """

    def __init__(self, channels: int, widths: Sequence[int], layers: int):
        """A network for vectors of ``channels`` features with ``layers`` linear layers of ``widths[i]`` in level i."""
        super().__init__()
        self.levels = nn.ModuleList()
        for width in widths:
            inputs = [channels, *[width] * (layers - 1)]
            self.levels.append(Level(part for size in inputs for part in _layer(size, width)))
            channels = 2 * width
        self.dim = channels

    def forward(self, vectors: Vectors) -> Float[Tensor, "p d"]:
        """Features of all polylines, in the precision of the weights; one without vectors gives zeros."""
        local = vectors.features.to(self.dtype)
        pooled = local.new_zeros(vectors.count, 0)  # before the first level there is nothing beside a vector
        for level in self.levels:
            local = level(local, pooled, vectors.polyline)
            pooled = scatter(local, vectors.polyline, dim=0, dim_size=vectors.count, reduce="max")
        return torch.cat([pooled, pooled], dim=1)

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the weights."""
        return next(self.parameters()).dtype


def _layer(channels: int, width: int) -> list[nn.Module]:
    return [nn.Linear(channels, width), nn.LayerNorm(width), nn.ReLU()]


def lane_segments(batch: SceneBatch) -> tuple[Float[Tensor, "v 2"], Float[Tensor, "v 2"], Int64[Tensor, " v"]]:
    """Start [m], end [m] and lane of every vector of the centrelines of a batch, without the padding."""
    lanes = batch.graph["lane"]
    lane, start = true_places(real_pieces(lanes.points_valid), sum(batch.sizes.pieces))
    return lanes.points[lane, start], lanes.points[lane, start + 1], lane


def lane_attributes(lanes: Any) -> Float[Tensor, "l 3"]:
    """Turn (0 none, 1 left, 2 right), intersection (0, 1) and traffic control (0, 1) of each lane, as numbers."""
    return torch.stack([lanes.turn, lanes.intersection, lanes.control], dim=1).to(lanes.points.dtype)


def steps(
    positions: Float[Tensor, "a t 2"], valid: Bool[Tensor, "a t"]
) -> tuple[Float[Tensor, "a s 2"], Bool[Tensor, "a s"]]:
    """Displacements from each frame to the next [m], zero unless both were seen, and whether both were seen."""
    both = valid[:, 1:] & valid[:, :-1]
    return torch.where(both[..., None], positions[:, 1:] - positions[:, :-1], 0.0), both
