"""Frames of traffic scenes: rotations in the plane, exact inverses, and the heading conventions of the field."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def rotation_matrix(angle: Float[Tensor, "*n"]) -> Float[Tensor, "*n 2 2"]:
    """R(angle) = [[cos, -sin], [sin, cos]], counter-clockwise [rad]."""
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)


def to_world(
    points: Float[Tensor, "n *shape 2"], origin: Float[Tensor, "n 2"], rotation: Float[Tensor, " n"]
) -> Float[Tensor, "n *shape 2"]:
    """R(rotation) @ point + origin, for the points of n frames."""
    return rotate(points, rotation) + _over(origin, points)


def to_local(
    points: Float[Tensor, "n *shape 2"], origin: Float[Tensor, "n 2"], rotation: Float[Tensor, " n"]
) -> Float[Tensor, "n *shape 2"]:
    """R(rotation)^T @ (point - origin): the inverse of ``to_world``."""
    return rotate(points - _over(origin, points), -rotation)


def rotate(vectors: Float[Tensor, "n *shape 2"], angle: Float[Tensor, " n"]) -> Float[Tensor, "n *shape 2"]:
    """R(angle) @ vector.

    Written out, since the last bits of a matrix or complex product depend on the place in a batch.
    """
    shape = (len(angle), *[1] * (vectors.dim() - 2))
    cos, sin = angle.cos().view(shape), angle.sin().view(shape)
    x, y = vectors.unbind(-1)
    return torch.view_as_real(torch.complex(x * cos - y * sin, x * sin + y * cos))


def wrap_angle(angle: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """The same angle in [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def displacement_heading(
    history: Float[Tensor, "n t 2"], valid: Bool[Tensor, "n t"] | None = None, min_move: float = 0.0
) -> Float[Tensor, " n"]:
    """Direction in which each track came to its last position [rad]; 0 for one that never moved.

    Args:
        history: positions [m], oldest first.
        valid: which of them are known; all by default. The last valid one is the track's last position.
        min_move: look back to the latest position at least this far from the last one [m], so that the noise of a
            standing agent does not decide; 0: the last displacement, as VectorNet and HiVT do.
    """
    steps = torch.arange(history.shape[1], device=history.device)
    known = torch.ones(history.shape[:2], dtype=torch.bool, device=history.device) if valid is None else valid
    last = (known * steps).argmax(1)
    offsets = history.gather(1, last[:, None, None].expand(-1, 1, 2)) - history
    far = known & (offsets.norm(dim=-1) >= min_move) & (steps < last[:, None])
    start = (far * (steps + 1)).argmax(1)
    chosen = offsets.gather(1, start[:, None, None].expand(-1, 1, 2))[:, 0]
    return torch.where(far.any(1), torch.atan2(chosen[:, 1], chosen[:, 0]), 0.0)


def regression_heading(history: Float[Tensor, "n t 2"], window: int = 6, min_move: float = 2.0) -> Float[Tensor, " n"]:
    """Direction of the least-squares line through each track's latest positions [rad]; 0 for one that never moved.

    The convention of mmTransformer (its file ``lib/dataset/utils.py``): the stretch goes back ``window`` steps, and
    further until it is ``min_move`` metres long and agrees with the direction of the whole track; the line is fitted
    along the axis in which the stretch is longer and points from its first to its last two positions. (The original
    stops in the debugger where the slope is exactly zero.)
    """
    steps = torch.arange(history.shape[1], device=history.device)
    offsets = history[:, -1:] - history
    whole = offsets[:, :1]
    good = (offsets.norm(dim=-1) >= min_move) & ((offsets * whole).sum(-1) >= 0) & (steps < len(steps) - window)
    start = torch.where(good.any(1), (good * (steps + 1)).argmax(1), 0)
    taken = (steps >= start[:, None])[..., None]
    count = taken.sum(1)
    mean = (history * taken).sum(1, keepdim=True) / count[..., None]
    spread = (history - mean) * taken
    moments = spread.mT @ spread
    extent = history.masked_fill(~taken, -math.inf).amax(1) - history.masked_fill(~taken, math.inf).amin(1)
    along_x = extent[:, 0] > extent[:, 1]
    x = torch.where(along_x, moments[:, 0, 0], moments[:, 0, 1])
    y = torch.where(along_x, moments[:, 0, 1], moments[:, 1, 1])
    first = history.gather(1, (start[:, None] + steps[:2])[..., None].expand(-1, -1, 2))
    travelled = history[:, -2:].mean(1) - first.mean(1)
    forward = torch.where(x * travelled[:, 0] + y * travelled[:, 1] < 0, -1.0, 1.0)
    return torch.atan2(y * forward, x * forward)


def _over(origin: Tensor, points: Tensor) -> Tensor:
    return origin.view(len(origin), *[1] * (points.dim() - 2), 2)
