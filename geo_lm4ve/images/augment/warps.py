"""Rotation, shear and translation of batches of bytes, as Pillow has them: outside the image there is one colour.

A pixel of the result takes the colour of a place in the image, interpolated bicubically; a place beyond the outermost
pixels' edges has the fill. (kornia's ``warp_affine`` blends the fill into the outermost pixels instead, for which it
warps a mask, too.) PyTorch's cubic kernel has the slope -0.75 where Pillow's has -1, which makes edges a little softer.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float, UInt8
from torch import Tensor

from geo_lm4ve.images.augment.operators import LEVELS, SLACK

Matrix = tuple[float, float, float, float, float, float]
"""(a, b, c, d, e, f): what is to be at (x, y) is at (a x + b y + c, d x + e y + f), in pixels from the upper left."""
Warp = Callable[[float, int, int], Matrix]
"""The matrix for an argument, and an image of so many columns and rows."""


def rotate(degrees: float, width: int, height: int) -> Matrix:
    """Counter-clockwise about the middle."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = width / 2, height / 2
    return cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y


def shear_x(factor: float, width: int, height: int) -> Matrix:
    """Rows to the left, the lower the further."""
    return 1, factor, 0, 0, 1, 0


def shear_y(factor: float, width: int, height: int) -> Matrix:
    """Columns upwards, the further right the further."""
    return 1, 0, 0, factor, 1, 0


def translate_x(share: float, width: int, height: int) -> Matrix:
    """To the left, by a share of the width."""
    return 1, 0, share * width, 0, 1, 0


def translate_y(share: float, width: int, height: int) -> Matrix:
    """Upwards, by a share of the height."""
    return 1, 0, 0, 0, 1, share * height


def warped(
    images: UInt8[Tensor, "k 3 h w"], matrices: Float[Tensor, "k 6"], fill: UInt8[Tensor, " 3"]
) -> UInt8[Tensor, "k 3 h w"]:
    """Each image seen through its own matrix."""
    height, width = images.shape[2:]
    columns, rows = torch.arange(width) + 0.5, (torch.arange(height) + 0.5)[:, None]
    a, b, c, d, e, f = (numbers[:, None, None] for numbers in matrices.unbind(1))
    x, y = a * columns + b * rows + c, d * columns + e * rows + f
    grid = torch.stack([2 * x / width - 1, 2 * y / height - 1], -1)
    seen = F.grid_sample(images.float(), grid, "bicubic", "border", align_corners=False)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return torch.where(inside[:, None], (seen + SLACK).clamp(0, LEVELS).byte(), fill[:, None, None])
