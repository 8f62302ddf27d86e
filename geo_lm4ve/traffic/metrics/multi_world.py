"""Metrics of joint forecasts (Argoverse 2 multi-agent challenge): K worlds, each with one trajectory for every actor.

The best world of a scene is the one with the smallest mean final error over its actors (av2-api issue 154); every
metric is that world's:

================== =========================================================================================
``avgMinFDE``      mean final error of the actors
``avgMinADE``      mean average error of the actors
``actorMR``        share of actors that end more than 2.0 m off
``avgBrierMinFDE`` avgMinFDE + (1 - p)^2 with the world's probability p
``actorCR``        share of actors that come closer than 1.0 m to another one at any step
================== =========================================================================================

Source of the per-world values: av2-api ``eval/metrics.py``, ``compute_world_*``. The evaluation scores the tracks of
category SCORED_TRACK and FOCAL_TRACK.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from geo_lm4ve.traffic.metrics.displacement import (
    MISS_THRESHOLD_M,
    average_displacement,
    final_displacement,
    length,
    misses,
)
from geo_lm4ve.traffic.metrics.probabilities import ForecastError, check_probabilities, most_likely

COLLISION_THRESHOLD_M = 1.0
"""Two actors whose centres come closer than this collide."""

WORLD_NAMES = ("avgMinADE", "avgMinFDE", "actorMR", "avgBrierMinFDE", "actorCR")


def world_metrics(
    positions: Float[Tensor, "a k f 2"],
    truth: Float[Tensor, "a f 2"],
    scene: Int64[Tensor, " a"],
    probabilities: Float[Tensor, "s k"],
    *,
    k: int,
) -> dict[str, Float[Tensor, " s"]]:
    """Metrics of the best of the ``k`` most likely worlds, one value per scene.

    Args:
        positions: (A, K, F, 2) trajectory of each actor in each world, metres.
        truth: (A, F, 2) what happened.
        scene: (A,) scene 0..S-1 of each actor, in any order; every scene has at least one.
        probabilities: (S, K) of the worlds, sum 1.
        k: number of worlds allowed.

    Raises:
        ForecastError: bad probabilities, a scene without actors, or non-finite positions.
    """
    check_probabilities(probabilities)
    scenes = len(probabilities)
    if (torch.bincount(scene, minlength=scenes) == 0).any():
        raise ForecastError("every scene needs at least one scored actor; leave scenes without any out")
    order = most_likely(probabilities, k)
    final = final_displacement(positions, truth)
    if not torch.isfinite(final).all():
        raise ForecastError("a predicted or true position is NaN or infinite; no score is given")
    worlds = {
        "avgMinADE": mean_over_actors(average_displacement(positions, truth), scene, scenes),
        "avgMinFDE": mean_over_actors(final, scene, scenes),
        "actorMR": mean_over_actors(misses(final, MISS_THRESHOLD_M).to(final.dtype), scene, scenes),
        "actorCR": mean_over_actors(collisions(positions, scene).to(final.dtype), scene, scenes),
    }
    kept = probabilities.to(final.dtype).gather(1, order)
    worlds = {name: values.gather(1, order) for name, values in worlds.items()}
    worlds["avgBrierMinFDE"] = worlds["avgMinFDE"] + (1 - kept / kept.sum(1, keepdim=True)).square()
    best = worlds["avgMinFDE"].argmin(1, keepdim=True)
    return {name: worlds[name].gather(1, best)[:, 0] for name in WORLD_NAMES}


def mean_over_actors(
    values: Float[Tensor, "a k"], scene: Int64[Tensor, " a"], scenes: int
) -> Float[Tensor, "{scenes} k"]:
    """Mean of the actors' values in each scene."""
    sums = values.new_zeros(scenes, values.shape[1]).index_add_(0, scene, values)
    return sums / torch.bincount(scene, minlength=scenes)[:, None]


def collisions(
    positions: Float[Tensor, "a k f 2"], scene: Int64[Tensor, " a"], threshold: float = COLLISION_THRESHOLD_M
) -> Bool[Tensor, "a k"]:
    """True where an actor comes closer than ``threshold`` metres to another actor of its scene in the same world."""
    order = scene.argsort(stable=True)
    hits = torch.zeros(positions.shape[:2], dtype=torch.bool, device=positions.device)
    for distance in range(1, int(torch.bincount(scene).max())):
        first, second = order[:-distance], order[distance:]
        same = scene[first] == scene[second]
        first, second = first[same], second[same]
        gap = positions[first] - positions[second]
        touching = (length(gap) < threshold).any(-1)
        hits[first] |= touching
        hits[second] |= touching
    return hits
