"""Position and size of a cloud taken out."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def normalize_unit_sphere(points: Float[Tensor, "*b n 3"]) -> Float[Tensor, "*b n 3"]:
    """The clouds centred at their mean and scaled so that the farthest point has norm 1.

    A cloud of one repeated position becomes zeros.

    Raises:
        ValueError: a cloud without points, or coordinates that are not finite.
    """
    if points.shape[-2] == 0:
        raise ValueError(f"a cloud needs at least one point to be normalised, got shape {tuple(points.shape)}")
    largest = points.abs().amax(dim=(-2, -1), keepdim=True)
    if not largest.isfinite().all():
        raise ValueError(f"coordinates must be finite to be normalised, one is {largest.max().item()}; drop that point")
    # Divided by a power of two, which rounds nothing, so that sums and squares neither overflow nor vanish.
    power = largest / (2 * largest.frexp().mantissa)
    points = points / power.where(largest > 0, 1.0)
    centred = points - points.mean(dim=-2, keepdim=True)
    size = centred.norm(dim=-1).amax(dim=-1)[..., None, None]
    extent = points.amax(-2, keepdim=True) != points.amin(-2, keepdim=True)  # the mean of equal numbers may be another
    return torch.where(extent.any(-1, keepdim=True), centred / size.clamp(min=torch.finfo(points.dtype).tiny), 0.0)
