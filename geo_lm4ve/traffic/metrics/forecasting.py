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
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from geo_lm4ve.traffic.metrics.displacement import (
    MISS_THRESHOLD_M,
    average_displacement,
    final_displacement,
    misses,
    mode,
)
from geo_lm4ve.traffic.metrics.probabilities import ForecastError, check_probabilities, most_likely
from geo_lm4ve.traffic.protocol import Protocol

LOW_PROBABILITY = 0.05
"""p- metrics charge no mode more than -ln of this (``LOW_PROB_THRESHOLD_FOR_METRICS``)."""


WEIGHTED_NAMES = ("p-minADE", "p-minFDE", "p-MR", "brier-minADE", "brier-minFDE")
"""The metrics that need probabilities."""


def metric_names(protocol: Protocol, weighted: bool = True) -> tuple[str, ...]:
    """Names of a protocol's metrics in the order of the official tables, with or without the weighted ones."""
    return ("minADE", "minFDE", "MR", *(WEIGHTED_NAMES if weighted else ()), *protocol.extra_metrics)


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
    if probabilities is not None:
        check_probabilities(probabilities)
    size = protocol.block
    scenes, futures = positions.split(size), truth.split(size)
    shares = [None] * len(scenes) if probabilities is None else probabilities.split(size)
    blocks = enumerate(zip(scenes, futures, shares))
    values = [_block_metrics(*block, protocol, k, miss_threshold, number * size) for number, block in blocks]
    return {name: torch.cat([part[name] for part in values]) for name in values[0]}


def _block_metrics(
    positions: Tensor,
    truth: Tensor,
    probabilities: Tensor | None,
    protocol: Protocol,
    k: int,
    miss_threshold: float,
    first: int,
) -> dict[str, Float[Tensor, " s"]]:
    """The metrics of few enough scenes that intermediate results stay in the cache; their rows begin at ``first``."""
    final = final_displacement(positions, truth)
    _check_finite(final, first)
    p = final.new_ones(final.shape) if probabilities is None else probabilities.to(final.dtype)
    kept = _kept(p, k)
    best = _best(final, kept, p)
    if protocol.smallest_ade:
        ade = average_displacement(positions, truth)
        best_ade = _best(ade, kept, p)
        ades = {"minADE": _pick(ade, best_ade), "minADE@bestFDE": _pick(ade, best)}
    else:  # the tracks of all other modes are never read
        ade, best_ade = average_displacement(mode(positions, best), truth), best
        ades = {"minADE": ade[:, 0]}
    _check_finite(ade, first)
    fde = _pick(final, best)
    values = {**ades, "minFDE": fde, "MR": misses(fde, miss_threshold).to(fde.dtype)}
    if probabilities is not None:
        total = p.sum(1) if kept is None else (p * kept).sum(1)
        values |= _weighted(values, _pick(p, best_ade) / total, _pick(p, best) / total)
    return {name: values[name] for name in metric_names(protocol, probabilities is not None)}


def _kept(p: Float[Tensor, "s n"], k: int) -> Bool[Tensor, "s n"] | None:
    """Which modes are among the ``k`` most likely (of equal ones the earlier); None: all."""
    if k >= p.shape[1]:
        return None
    return torch.zeros_like(p, dtype=torch.bool).scatter_(1, most_likely(p, k), True)


def _best(
    errors: Float[Tensor, "s n"], kept: Bool[Tensor, "s n"] | None, p: Float[Tensor, "s n"]
) -> Int64[Tensor, " s"]:
    """The kept mode with the smallest error; of equal ones the likelier, then the earlier (as after a stable sort)."""
    if kept is not None:
        errors = errors.masked_fill(~kept, torch.inf)
    smallest = errors == errors.amin(1, keepdim=True)
    return torch.where(smallest, p, -1.0).argmax(1)


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


def _check_finite(errors: Float[Tensor, "s k"], first: int) -> None:
    if not torch.isfinite(errors).all():
        row = int((~torch.isfinite(errors).all(1)).nonzero()[0])
        raise ForecastError(
            f"the forecast in row {first + row} has an error that is not finite: a predicted or true position is NaN "
            "or infinite; no score is given"
        )


def flat_name(name: str, k: int) -> str:
    """``minADE`` for K = 6 is ``minADE_6`` in results.json and in logs (a name and nothing to nest)."""
    return f"{name}_{k}"


def nested(flat: dict[str, float], ks: Sequence[int]) -> dict[str, dict[str, float]]:
    """``{"minADE_6": x}`` as ``{"K=6": {"minADE": x}}``, the shape of the evaluator's JSON."""
    return {
        f"K={k}": {name[: -len(f"_{k}")]: value for name, value in flat.items() if name.endswith(f"_{k}")} for k in ks
    }
