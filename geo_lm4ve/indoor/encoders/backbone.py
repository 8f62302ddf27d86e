"""VoteNet's backbone: PointNet++ from all points of a scan to the seeds, which vote (arXiv 1904.09664, section 4.2)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from geo_lm4ve.layers.feature_propagation import FeaturePropagation
from geo_lm4ve.layers.set_abstraction import Abstraction, SetAbstraction

SKIP_NEAR_ORIGIN = 1e-3
"""Squared distance [m²] from the origin within which ``pointnet2_ops``, and so VoteNet, samples no point."""


class Seeds(NamedTuple):
    """Points (S, V, 3) [m] with features (S, V, C), and their rows (S, V) among the points of the scan."""

    points: Float[Tensor, "s v 3"]
    features: Float[Tensor, "s v c"]
    indices: Int64[Tensor, "s v"]


class Backbone(nn.Module):
    """Four set abstractions, two feature propagations.

    Args:
        channels: numbers per point besides the coordinates.
        width: w of the first layer; the seeds have 4 w.
        seeds: V; the abstractions keep 2 V, V, V / 2 and V / 4 points.
        neighbours: of the first abstraction; then a half, a quarter, a quarter.
    """

    def __init__(self, channels: int, width: int, seeds: int, neighbours: int):
        super().__init__()
        near, middle, far = neighbours, neighbours // 2, neighbours // 4
        narrow, wide = [width, width, 2 * width], [2 * width, 2 * width, 4 * width]
        self.sa_1 = _abstraction(channels, narrow, 2 * seeds, 0.2, near)
        self.sa_2 = _abstraction(narrow[-1], wide, seeds, 0.4, middle)
        self.sa_3 = _abstraction(wide[-1], wide, seeds // 2, 0.8, far)
        self.sa_4 = _abstraction(wide[-1], wide, seeds // 4, 1.2, far)
        self.fp_1 = FeaturePropagation(wide[-1], wide[-1], [wide[-1]] * 2)
        self.fp_2 = FeaturePropagation(wide[-1], wide[-1], [wide[-1]] * 2)

    def forward(self, points: Float[Tensor, "s n 3"], features: Float[Tensor, "s n c"] | None) -> Seeds:
        """The seeds of scans whose coordinates are known to be finite."""
        first = self.sa_1(points, features, finite=True)
        second = _first_half(self.sa_2, first)
        third = _first_half(self.sa_3, second)
        fourth = _first_half(self.sa_4, third)
        x = self.fp_1(third.points, fourth.points, fourth.features, third.features, finite=True)
        x = self.fp_2(second.points, third.points, x, second.features, finite=True)
        return Seeds(second.points, x, first.indices[:, : x.shape[1]])


def _abstraction(inputs: int, widths: list[int], count: int, radius: float, neighbours: int) -> SetAbstraction:
    return SetAbstraction(inputs, widths, count, radius, neighbours, skip_near_origin=SKIP_NEAR_ORIGIN)


def _first_half(stage: SetAbstraction, before: Abstraction) -> Abstraction:
    """The next abstraction: of points in the order of farthest point sampling, its sample are the first ones."""
    indices = torch.arange(stage.count, device=before.points.device).expand(len(before.points), -1)
    abstraction: Abstraction = stage(before.points, before.features, indices, finite=True)
    return abstraction
