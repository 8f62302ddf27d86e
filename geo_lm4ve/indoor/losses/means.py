"""Means over the part of a batch that something is known of."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def mean_where(values: Float[Tensor, "*n"], mask: Bool[Tensor, "*n"]) -> Float[Tensor, ""]:
    """Mean of the values whose mask is True, 0 where none is; what the others are reaches neither value nor gradient.

    VoteNet adds 1e-6 to the count in place of asking for at least one.
    """
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp(min=1)


def nothing(*values: Tensor) -> Float[Tensor, ""]:
    """0 with a gradient of zeros: processes that train together must reach the same parameters in every step."""
    return torch.stack([(value * 0).sum() for value in values]).sum()
