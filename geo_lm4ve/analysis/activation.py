"""How much a token stands out from the others of its sample: the paper's feature activation (section 6.1, Fig. E)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def magnitude(features: Float[Tensor, "b n d"], valid: Bool[Tensor, "b n"]) -> Float[Tensor, "b n"]:
    """||T_n - mean T|| over the valid tokens of each sample, scaled to 0..1 there; NaN for padding."""
    return _scaled(_deviation(features, valid), valid)


def frequency(features: Float[Tensor, "b n d"], valid: Bool[Tensor, "b n"]) -> Float[Tensor, "b n"]:
    """||phi_n - mean phi|| with the phases phi of the Fourier transform over channels, scaled to 0..1; NaN for padding.

    Phases are averaged and differenced without unwrapping, over all D frequencies, as the paper's code has it.
    """
    return _scaled(_deviation(torch.fft.fft(features.double(), dim=-1).angle(), valid), valid)


def _deviation(values: Tensor, valid: Tensor) -> Tensor:
    weights = valid[..., None].to(values.dtype)
    mean = (values * weights).sum(1, keepdim=True) / weights.sum(1, keepdim=True).clamp(min=1)
    return (values - mean).norm(dim=-1)


def _scaled(values: Tensor, valid: Tensor) -> Tensor:
    """Each row from its smallest valid value (0) to its largest (1); zeros where all are equal."""
    low = values.masked_fill(~valid, torch.inf).amin(1, keepdim=True)
    high = values.masked_fill(~valid, -torch.inf).amax(1, keepdim=True)
    span = torch.where(high > low, high - low, 1.0)
    return ((values - low) / span).masked_fill(~valid, torch.nan)


KINDS = {"magnitude": magnitude, "frequency": frequency}
"""By the name that ``tools/visualize.py --activation`` takes."""
