"""A batch of point clouds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class PointBatch:
    """Point clouds of one size with their labels.

    Attributes:
        points: (B, N, 3) coordinates, normalised to the unit sphere unless the data set says otherwise.
        labels: (B,) class of each cloud, -1 where it is not known.
        index: (B,) row of each cloud in its split.
        names: what each cloud is called (file names of one's own clouds), else ().
    """

    points: Float[Tensor, "b n 3"]
    labels: Int[Tensor, " b"]
    index: Int[Tensor, " b"]
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of clouds B."""
        return len(self.points)

    def to(self, device: torch.device | str) -> PointBatch:
        """The same batch on another device."""
        return replace(self, points=self.points.to(device), labels=self.labels.to(device), index=self.index.to(device))
