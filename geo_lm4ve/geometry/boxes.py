"""Axis-aligned boxes in space, as centre and size: (cx, cy, cz, dx, dy, dz) in metres."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

SMALL = 1e-8
"""Added to the volume of the union (ScanQA and ScanRefer ``utils/box_util.py``)."""


def box_iou(one: Float[Tensor, "*#b 6"], other: Float[Tensor, "*#b 6"]) -> Float[Tensor, "*#b"]:
    """Volume of what two boxes share over the volume of both; pairs by broadcasting.

    The sign of a size does not matter: a network may give a negative one. Boxes without volume give 0.
    """
    low = torch.maximum(_low(one), _low(other))
    high = torch.minimum(_high(one), _high(other))
    shared = (high - low).clamp(min=0).prod(-1)
    volumes = one[..., 3:].prod(-1).abs() + other[..., 3:].prod(-1).abs()
    return shared / (volumes - shared + SMALL)


def box_of_corners(corners: Float[Tensor, "*b n 3"]) -> Float[Tensor, "*b 6"]:
    """The smallest box round corners, in any order."""
    low, high = corners.amin(-2), corners.amax(-2)
    return torch.cat([(low + high) / 2, high - low], -1)


def box_corners(boxes: Float[Tensor, "*b 6"]) -> Float[Tensor, "*b 8 3"]:
    """Corners in the order of ScanQA's files: round the top from (+x, +y), then the bottom likewise."""
    signs = boxes.new_tensor(
        [[1, 1, 1], [1, -1, 1], [-1, -1, 1], [-1, 1, 1], [1, 1, -1], [1, -1, -1], [-1, -1, -1], [-1, 1, -1]]
    )
    return boxes[..., None, :3] + boxes[..., None, 3:] * signs / 2


def _low(boxes: Float[Tensor, "*b 6"]) -> Float[Tensor, "*b 3"]:
    return boxes[..., :3] - boxes[..., 3:].abs() / 2


def _high(boxes: Float[Tensor, "*b 6"]) -> Float[Tensor, "*b 3"]:
    return boxes[..., :3] + boxes[..., 3:].abs() / 2
