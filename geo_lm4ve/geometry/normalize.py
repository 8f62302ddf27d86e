"""Position and size of a cloud taken out."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def normalize_unit_sphere(points: Float[Tensor, "*b n 3"]) -> Float[Tensor, "*b n 3"]:
    """The clouds centred at their mean and scaled so that the farthest point has norm 1.

    A cloud of one repeated position becomes zeros.

    Raises:
        ValueError: a cloud without points.
    """
    if points.shape[-2] == 0:
        raise ValueError(f"a cloud needs at least one point to be normalised, got shape {tuple(points.shape)}")
    centred = points - points.mean(dim=-2, keepdim=True)
    size = centred.norm(dim=-1).amax(dim=-1)[..., None, None]
    return torch.where(size > 0, centred / size.clamp(min=torch.finfo(points.dtype).tiny), 0.0)
