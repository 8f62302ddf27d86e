"""Feature propagation of PointNet++ (section 3.4): features of few points reach the many they were sampled from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.geometry import checks
from geo_lm4ve.geometry.interpolation import interpolate
from geo_lm4ve.layers.shared_mlp import SharedMlp


class FeaturePropagation(nn.Module):
    """Inverse-distance interpolation from three points, the features at hand behind it, a shared MLP.

    Args:
        coarse_dim: channels of the features that are interpolated; the MLP sees them first.
        skip_dim: channels of the features that the many points have already, 0 if none.
        widths: of the layers of the shared MLP; the last is D.
    """

    def __init__(self, coarse_dim: int, skip_dim: int, widths: Sequence[int]):
        super().__init__()
        self.coarse_dim, self.skip_dim = coarse_dim, skip_dim
        self.mlp = SharedMlp(coarse_dim + skip_dim, widths)

    def forward(
        self,
        points: Float[Tensor, "b n 3"],
        coarse_points: Float[Tensor, "b m 3"],
        coarse_features: Float[Tensor, "b m c"],
        skip: Float[Tensor, "b n s"] | None = None,
        *,
        finite: bool = False,
    ) -> Float[Tensor, "b n d"]:
        """Features of the many points.

        Args:
            points: (B, N, 3), the many.
            coarse_points: (B, M, 3), the few, M >= 3.
            coarse_features: (B, M, C), C = ``coarse_dim``.
            skip: (B, N, S), S = ``skip_dim``; None where it is 0.
            finite: the coordinates are known to be finite, and so no device is asked.

        Raises:
            ValueError: features of another size than the module and the points ask for; points as in ``interpolate``.
        """
        checks.features("coarse_features", coarse_features, coarse_points, self.coarse_dim)
        checks.features("skip", skip, points, self.skip_dim)
        carried = interpolate(points, coarse_points, coarse_features, finite=finite)
        return self.mlp(carried if skip is None else torch.cat([carried, skip], dim=-1))
