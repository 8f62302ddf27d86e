"""Frames of traffic scenes: rotations in the plane, exact inverses, and the heading conventions of the field."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def rotation_matrix(angle: Float[Tensor, "*n"]) -> Float[Tensor, "*n 2 2"]:
    """R(angle) = [[cos, -sin], [sin, cos]], counter-clockwise [rad]."""
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)


def to_world(
    points: Float[Tensor, "n *shape 2"], origin: Float[Tensor, "n 2"], rotation: Float[Tensor, "n"]
) -> Float[Tensor, "n *shape 2"]:
    """R(rotation) @ point + origin for the points of n frames."""
    rotated = points.flatten(1, -2) @ rotation_matrix(rotation).mT
    return (rotated + origin[:, None]).view_as(points)


def to_local(
    points: Float[Tensor, "n *shape 2"], origin: Float[Tensor, "n 2"], rotation: Float[Tensor, "n"]
) -> Float[Tensor, "n *shape 2"]:
    """R(rotation)^T @ (point - origin): the inverse of ``to_world``."""
    centred = points.flatten(1, -2) - origin[:, None]
    return (centred @ rotation_matrix(rotation)).view_as(points)
