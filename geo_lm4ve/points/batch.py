"""A batch of point clouds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from geo_lm4ve.calls import InputError, described
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
    def of(cls, given: Any) -> PointBatch:
        """What a model of point clouds was called with as a batch: coordinates (B, N, 3), or a batch already.

        Raises:
            InputError: it is neither; says what to pass.
        """
        if isinstance(given, cls):
            return given
        if advice := _advice(given):
            raise InputError(
                "a model of point clouds takes coordinates x, y, z as a floating point tensor (B, N, 3), e.g. "
                f"model(torch.randn(2, 1024, 3)), or a PointBatch; this is {described(given)}: {advice}"
            )
        return cls(given, torch.full((len(given),), -1), torch.arange(len(given)))

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


def _advice(given: Any) -> str:
    """What to write in place of what is no (B, N, 3) of fractions; "" for what is."""
    if isinstance(given, list | tuple) and given and all(isinstance(cloud, Tensor) for cloud in given):
        return "clouds of one size become one tensor by torch.stack(clouds)"
    if isinstance(given, str | Path) or (isinstance(given, list | tuple) and given):
        return (
            'files are read by load_option("data", "point_folder", {"root": "."}).read([path]) of geo_lm4ve.options, '
            "which gives a batch"
        )
    if not isinstance(given, Tensor):
        return "numbers become a tensor by torch.as_tensor(points, dtype=torch.float32)"
    if given.dim() == 2:
        return "add the batch axis, model(points[None])"
    if given.dim() == 3 and given.shape[1] == 3 != given.shape[2]:
        return "coordinates come last, model(points.transpose(1, 2))"
    if given.dim() == 3 and given.shape[2] > 3:
        return "leave out what is no coordinate, model(points[..., :3])"
    if given.dim() != 3 or given.shape[2] < 3 or not len(given):
        return "three coordinates of each of N points of each of B >= 1 clouds"
    return "" if given.is_floating_point() else "make it fractions, model(points.float())"
