"""The augmentation of point clouds: random scale and shift, and rotation about the up axis."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.points.features import unit


class Up(enum.Enum):
    """The axis that points up, by its number."""

    x = 0
    y = 1
    z = 2


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

    def normals(self, normals: Float[Tensor, "b n 3"]) -> Float[Tensor, "b n 3"]:
        """The normals of the scaled surface: divided by the scale, at length 1 again."""
        return unit(normals / self.scale[:, None])


@dataclass(frozen=True)
class Rotation:
    """A rotation of every cloud."""

    matrix: Float[Tensor, "b 3 3"]

    def __getitem__(self, rows: slice | Tensor) -> Rotation:
        """Those of some clouds."""
        return Rotation(self.matrix[rows])

    def __call__(self, vectors: Float[Tensor, "b n 3"]) -> Float[Tensor, "b n 3"]:
        """Points or normals, rotated about the origin."""
        return vectors @ self.matrix.mT


@dataclass(frozen=True)
class Pose:
    """What is drawn for every cloud: a scale and a shift, and a rotation where there is one."""

    affine: Affine
    rotation: Rotation | None = None

    def __getitem__(self, rows: slice | Tensor) -> Pose:
        """That of some clouds."""
        return Pose(self.affine[rows], None if self.rotation is None else self.rotation[rows])


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


@dataclass(frozen=True)
class Turn:
    """Random rotation about one axis, uniform per cloud (PointNeXt on ScanObjectNN).

    Attributes:
        most: the angle lies in [-most, most], in degrees.
        axis: number of the axis.
    """

    most: float
    axis: int

    def draw(self, clouds: int, random: torch.Generator) -> Rotation:
        """The rotations of a number of clouds."""
        angle = math.radians(self.most) * (2 * torch.rand(clouds, generator=random) - 1)
        first, second = (self.axis + 1) % 3, (self.axis + 2) % 3
        matrix = torch.eye(3).repeat(clouds, 1, 1)
        matrix[:, first, first] = matrix[:, second, second] = angle.cos()
        matrix[:, second, first], matrix[:, first, second] = angle.sin(), -angle.sin()
        return Rotation(matrix)
