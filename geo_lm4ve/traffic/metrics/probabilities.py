"""What a mode's probability must be, and the choice of the K most likely modes."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from geo_lm4ve.files import UserError

SUM_TOLERANCE = 1e-5
"""How far a scene's probabilities may be from the sum 1 (float32 softmax stays within 1e-6)."""


class ForecastError(UserError, ValueError):
    """Forecasts that cannot be scored; the message names the scene and the next step."""


def check_probabilities(probabilities: Float[Tensor, "s k"]) -> None:
    """Refuse anything but probabilities: finite, within 0..1, sum 1 over the modes of each scene.

    Raw scores of a network, scored as if they were probabilities, give brier and p- metrics that look like numbers and
    mean nothing.

    Raises:
        ForecastError: names the first offending row and says what to do.
    """
    sums = probabilities.double().sum(1)
    off = (sums - 1).abs() > SUM_TOLERANCE
    outside = (probabilities < 0) | (probabilities > 1)
    if sums.isfinite().all() and not outside.any() and not off.any():
        return
    weights = (
        "take the softmax of raw scores, or divide by the sum if they are weights (tools/evaluate.py: --normalize)"
    )
    rules = (
        (~torch.isfinite(probabilities).all(1), "are not finite", "mend the forecaster"),
        ((probabilities < 0).any(1), "leave 0..1", "take the softmax of raw scores first"),
        (outside.any(1), "leave 0..1", weights),
        (off, "do not sum to 1", weights),
    )
    for broken, rule, step in rules:
        if broken.any():
            row = int(broken.nonzero()[0])
            values = ", ".join(f"{value:.6g}" for value in probabilities[row].tolist())
            raise ForecastError(
                f"probabilities of {int(broken.sum())} of {len(probabilities)} forecasts {rule}, first in row {row}: "
                f"[{values}]; {step}"
            )


def most_likely(probabilities: Float[Tensor, "s n"], k: int) -> Int64[Tensor, "s kept"]:
    """Indices of the min(k, n) most likely modes, best first; of equal ones the earlier comes first."""
    return probabilities.sort(dim=1, descending=True, stable=True).indices[:, :k]
