"""Forecasting metrics of the Argoverse 1 and Argoverse 2 challenges, one value per scene, many scenes at once.

Let the K most likely modes be kept (ties: the earlier one), e_k be the end point error and a_k the average error of
mode k, and p_k its probability divided by the sum over the kept modes.

=================  ==============================================================================================
``minFDE``         e of the mode with the smallest e
``minADE``         av1: a of that same mode; av2: the smallest a
``minADE@bestFDE`` av2 only: the av1 definition, under which several publications report
``MR``             1 if minFDE > 2.0 m (strictly), else 0
``p-min*``         error + min(-ln p, -ln 0.05) of the mode it belongs to; ``p-MR``: 1 if missed, else 1 - p
``brier-min*``     error + (1 - p)^2 of the mode it belongs to
=================  ==============================================================================================

Sources: argoverse-api ``argoverse/evaluation/eval_forecasting.py``; av2-api
``av2/datasets/motion_forecasting/eval/metrics.py``, which leaves sorting, top K and minimum to its caller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from geo_lm4ve.data.scenes import Protocol
from geo_lm4ve.metrics.displacement import MISS_THRESHOLD_M, average_displacement, final_displacement, misses, mode
from geo_lm4ve.metrics.probabilities import ForecastError, check_probabilities, most_likely

LOW_PROBABILITY = 0.05
"""p- metrics charge no mode more than -ln of this (``LOW_PROB_THRESHOLD_FOR_METRICS``)."""


WEIGHTED_NAMES = ("p-minADE", "p-minFDE", "p-MR", "brier-minADE", "brier-minFDE")
"""The metrics that need probabilities."""


def metric_names(protocol: Protocol, weighted: bool = True) -> tuple[str, ...]:
    """Names of a protocol's metrics in the order of the official tables, with or without the weighted ones."""
    extra = ("minADE@bestFDE",) if protocol is Protocol.av2 else ()
    return ("minADE", "minFDE", "MR", *(WEIGHTED_NAMES if weighted else ()), *extra)


def forecast_metrics(
    positions: Float[Tensor, "s n f 2"],
    truth: Float[Tensor, "s f 2"],
    probabilities: Float[Tensor, "s n"] | None,
    *,
    protocol: Protocol,
    k: int,
    miss_threshold: float = MISS_THRESHOLD_M,
) -> dict[str, Float[Tensor, " s"]]:
    """Every metric of the protocol for the ``k`` most likely of n modes, one value per scene.

    Args:
        positions: (S, n, F, 2) modes in metres, in the frame of ``truth``.
        truth: (S, F, 2) what happened.
        probabilities: (S, n) of the modes, sum 1; None: the first ``k`` modes count and the p- and brier- metrics are
            left out.
        protocol: whose definitions.
        k: number of guesses allowed; with fewer modes all of them count.
        miss_threshold: metres.

    Raises:
        ForecastError: non-finite positions, or probabilities that are none (see ``check_probabilities``).
    """
    if k < 1:
        raise ForecastError(f"k, the number of guesses, must be at least 1, got {k}")
    order = _order(positions, probabilities, k)
    final = final_displacement(positions, truth).gather(1, order)
    _check_finite(final)
    best = final.argmin(1)
    ade, ade_best = _average_errors(positions, truth, order, best, protocol)
    fde = _pick(final, best)
    missed = misses(fde, miss_threshold).to(fde.dtype)
    values = {"minADE": _pick(ade, ade_best), "minFDE": fde, "MR": missed}
    if probabilities is not None:
        kept = probabilities.to(fde.dtype).gather(1, order)
        kept = kept / kept.sum(1, keepdim=True)
        values |= _weighted(values, _pick(kept, ade_best), _pick(kept, best))
    if protocol is Protocol.av2:
        values["minADE@bestFDE"] = _pick(ade, best)
    return values


def _order(positions: Tensor, probabilities: Tensor | None, k: int) -> Int64[Tensor, "s kept"]:
    if probabilities is not None:
        check_probabilities(probabilities)
        return most_likely(probabilities, k)
    scenes, modes = positions.shape[:2]
    return torch.arange(min(k, modes), device=positions.device).expand(scenes, -1)


def _average_errors(
    positions: Tensor, truth: Tensor, order: Tensor, best: Tensor, protocol: Protocol
) -> tuple[Float[Tensor, "s _"], Int64[Tensor, " s"]]:
    """Average errors by kept mode and the mode that counts; under av1 the tracks of all other modes are never read."""
    if protocol is Protocol.av2:
        ade = average_displacement(positions, truth).gather(1, order)
        _check_finite(ade)
        return ade, ade.argmin(1)
    chosen = mode(positions, order.gather(1, best[:, None])[:, 0])
    ade = average_displacement(chosen, truth)
    _check_finite(ade)
    return ade.expand(-1, order.shape[1]), best


def _weighted(plain: dict[str, Tensor], p_ade: Tensor, p_fde: Tensor) -> dict[str, Tensor]:
    """p- and brier- variants, each with the probability of the mode that its error belongs to."""
    ceiling = -math.log(LOW_PROBABILITY)
    missed = plain["MR"]
    return {
        "p-minADE": plain["minADE"] + (-p_ade.log()).clamp(max=ceiling),
        "p-minFDE": plain["minFDE"] + (-p_fde.log()).clamp(max=ceiling),
        "p-MR": missed + (1 - missed) * (1 - p_fde),
        "brier-minADE": plain["minADE"] + (1 - p_ade).square(),
        "brier-minFDE": plain["minFDE"] + (1 - p_fde).square(),
    }


def _pick(values: Float[Tensor, "s k"], which: Int64[Tensor, " s"]) -> Float[Tensor, " s"]:
    return values.gather(1, which[:, None])[:, 0]


def _check_finite(errors: Float[Tensor, "s k"]) -> None:
    broken = ~torch.isfinite(errors).all(1)
    if broken.any():
        raise ForecastError(
            f"{int(broken.sum())} of {len(errors)} forecasts have an error that is not finite, first in row "
            f"{int(broken.nonzero()[0])}: a predicted or true position is NaN or infinite; no score is given"
        )


def flat_name(name: str, k: int) -> str:
    """``minADE`` for K = 6 is ``minADE_6`` in results.json and in logs (a name and nothing to nest)."""
    return f"{name}_{k}"


def nested(flat: dict[str, float], ks: Sequence[int]) -> dict[str, dict[str, float]]:
    """``{"minADE_6": x}`` as ``{"K=6": {"minADE": x}}``, the shape of the evaluator's JSON."""
    return {
        f"K={k}": {name[: -len(f"_{k}")]: value for name, value in flat.items() if name.endswith(f"_{k}")} for k in ks
    }
