"""Set abstraction of PointNet++ (section 3.2): fewer points, each with the features of its neighbourhood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from geo_lm4ve.geometry import checks
from geo_lm4ve.geometry.grouping import gather, group_by_radius
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.layers.shared_mlp import SharedMlp


class Abstraction(NamedTuple):
    """Sampled points (B, G, 3), their features (B, G, D) and their indices (B, G) in the cloud they come from."""

    points: Float[Tensor, "b g 3"]
    features: Float[Tensor, "b g d"]
    indices: Int[Tensor, "b g"]


class SetAbstraction(nn.Module):
    """Farthest points, the points within a radius of each, a shared MLP on those, maximum.

    What the MLP sees of a neighbour: its offset from the centre (3 channels), then its features.

    Args:
        in_dim: channels C of the features, 0 for a cloud without any.
        widths: of the layers of the shared MLP; the last is D.
        count: G, points to sample.
        radius: of the neighbourhoods, in the unit of the points.
        neighbours: per neighbourhood; how they are chosen says ``neighbours.ball_query``.
        use_xyz: the MLP sees the offsets, too.
        scaled: offsets are divided by the radius.
        skip_near_origin: as in ``farthest_point_sample``; ``pointnet2_ops``, and so VoteNet, has 1e-3.
    """

    def __init__(
        self,
        in_dim: int,
        widths: Sequence[int],
        count: int,
        radius: float,
        neighbours: int,
        *,
        use_xyz: bool = True,
        scaled: bool = True,
        skip_near_origin: float = 0.0,
    ):
        super().__init__()
        self.in_dim, self.count, self.radius, self.neighbours = in_dim, count, radius, neighbours
        self.use_xyz, self.scaled, self.skip_near_origin = use_xyz, scaled, skip_near_origin
        self.mlp = SharedMlp(in_dim + 3 * use_xyz, widths)

    def forward(
        self,
        points: Float[Tensor, "b n 3"],
        features: Float[Tensor, "b n c"] | None = None,
        indices: Int[Tensor, "b g"] | None = None,
        *,
        finite: bool = False,
    ) -> Abstraction:
        """Sample, group and abstract.

        Args:
            points: (B, N, 3).
            features: (B, N, C); None where ``in_dim`` is 0.
            indices: centres that are taken instead of the farthest points.
            finite: the coordinates are known to be finite, and so no device is asked.

        Raises:
            ValueError: features of another size than ``in_dim`` and the points ask for; points as in
                ``farthest_point_sample``.
        """
        if indices is None:
            indices = self.sample(points, finite=finite)
        else:
            checks.working("points", points, finite)
        centers = gather(points, indices)
        return Abstraction(centers, self.around(centers, points, features, finite=True), indices)

    def around(
        self,
        centers: Float[Tensor, "b g 3"],
        points: Float[Tensor, "b n 3"],
        features: Float[Tensor, "b n c"] | None = None,
        *,
        finite: bool = False,
    ) -> Float[Tensor, "b g d"]:
        """The features of the neighbourhoods of any places, which need not be points; arguments as of ``forward``."""
        checks.features("features", features, points, self.in_dim)
        offsets, groups = group_by_radius(
            points, centers, self.radius, self.neighbours, scaled=self.scaled, finite=finite
        )
        seen = [offsets] if self.use_xyz else []
        if features is not None:
            seen.append(gather(features, groups))
        return self.mlp(torch.cat(seen, dim=-1)).amax(dim=2)

    def sample(self, points: Float[Tensor, "b n 3"], *, finite: bool = False) -> Int[Tensor, "b g"]:
        """Indices of the centres, which ``forward`` takes unless it is given others."""
        return farthest_point_sample(points, self.count, skip_near_origin=self.skip_near_origin, finite=finite)

    def extra_repr(self) -> str:
        """The neighbourhoods, for printing."""
        return f"count={self.count}, radius={self.radius:g}, neighbours={self.neighbours}, scaled={self.scaled}"
