"""The augmentation of point clouds: random scale and shift."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Affine:
    """A scale and a shift along each axis for every cloud."""

    scale: Float[Tensor, "b 3"]
    shift: Float[Tensor, "b 3"]

    def __getitem__(self, rows: slice | Tensor) -> Affine:
        """Those of some clouds."""
        return Affine(self.scale[rows], self.shift[rows])

    def __call__(self, points: Float[Tensor, "b n 3"]) -> Float[Tensor, "b n 3"]:
        """The clouds scaled, then shifted."""
        return torch.addcmul(self.shift[:, None], points, self.scale[:, None])


@dataclass(frozen=True)
class ScaleAndShift:
    """Random anisotropic scale, then random shift, uniform per cloud and axis (Point-BERT, PointNeXt on ModelNet40).

    Attributes:
        low, high: range of the scale factors.
        shift: the shift lies in [-shift, shift], in the unit of the points.
    """

    low: float
    high: float
    shift: float

    def draw(self, clouds: int, random: torch.Generator) -> Affine:
        """The augmentation of a number of clouds."""
        uniform = torch.rand(2, clouds, 3, generator=random)
        return Affine(self.low + (self.high - self.low) * uniform[0], self.shift * (2 * uniform[1] - 1))
