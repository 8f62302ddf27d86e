"""A batch of point clouds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from geo_lm4ve.geometry.checks import all_finite


@dataclass(frozen=True)
class PointBatch:
    """Point clouds of one size with their labels.

    Attributes:
        points: (B, N, 3) coordinates, normalised to the unit sphere unless the data set says otherwise.
        labels: (B,) class of each cloud, -1 where it is not known.
        index: (B,) row of each cloud in its split.
        names: what each cloud is called (file names of one's own clouds), else ().
        finite: all coordinates are known to be finite; False: nobody has looked yet.
    """

    points: Float[Tensor, "b n 3"]
    labels: Int[Tensor, " b"]
    index: Int[Tensor, " b"]
    names: tuple[str, ...] = ()
    finite: bool = False

    def __len__(self) -> int:
        """Number of clouds B."""
        return len(self.points)

    @classmethod
    def random(cls, size: int, points: int, seed: int = 0) -> PointBatch:
        """``size`` normal clouds of two classes, without ties."""
        clouds = torch.randn(size, points, 3, generator=torch.Generator().manual_seed(seed))
        return cls(clouds, torch.arange(size) % 2, torch.arange(size))

    def settled(self) -> PointBatch:
        """The same batch after a look at its coordinates; ValueError names a point that is not finite."""
        if not self.finite:
            all_finite("points", self.points)
        return replace(self, finite=True)

    def to(self, device: torch.device | str) -> PointBatch:
        """The same batch, settled, on another device."""
        points, labels, index = (values.to(device) for values in (self.points, self.labels, self.index))
        return replace(self.settled(), points=points, labels=labels, index=index)
