"""Scores of joint forecasts: all scored tracks of a scene together (Argoverse 2 multi-agent challenge)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from geo_lm4ve.traffic.metrics.multi_world import world_metrics
from geo_lm4ve.traffic.metrics.probabilities import ForecastError
from geo_lm4ve.traffic.scoring.truth import SceneTruth
from geo_lm4ve.traffic.submissions import Forecasts
from geo_lm4ve.traffic.submissions.forecasts import describe, names

TOLERANCE = 1e-6
"""How far the probabilities of one world may differ between its tracks."""


def score_worlds(forecasts: Forecasts, truths: Sequence[SceneTruth], ks: Sequence[int]) -> dict[str, dict[str, float]]:
    """Means over scenes of the joint metrics, by K.

    Args:
        forecasts: of all scored tracks; mode k of a scene's tracks is world k.
        truths: read with ``worlds=True``.
        ks: numbers of worlds allowed.

    Raises:
        ForecastError: tracks are not forecast, or the tracks of a scene disagree on the worlds' probabilities.
    """
    place = {key: row for row, key in enumerate(forecasts.keys())}
    keys = [(truth.scene, track) for truth in truths for track in truth.tracks]
    scene = np.repeat(np.arange(len(truths)), [len(truth.tracks) for truth in truths])
    if absent := [describe(key) for key in keys if key not in place]:
        raise ForecastError(f"{len(absent):,} scored tracks are not forecast: {names(absent)}; leave --worlds out")
    rows = np.array([place[key] for key in keys])
    p = _world_probabilities(forecasts, rows, scene, keys)
    future = np.concatenate([truth.future for truth in truths])
    arrays = [torch.from_numpy(array) for array in (forecasts.positions[rows], future, scene, p)]
    values = {k: world_metrics(*arrays, k=k) for k in ks}
    return {f"K={k}": {name: float(column.mean()) for name, column in scored.items()} for k, scored in values.items()}


def _world_probabilities(
    forecasts: Forecasts, rows: np.ndarray, scene: np.ndarray, keys: Sequence[tuple[str, str]]
) -> np.ndarray:
    if forecasts.probabilities is None:
        raise ForecastError("joint metrics need the probabilities of the worlds, which this file does not have")
    p = forecasts.probabilities[rows]
    shared = p[np.unique(scene, return_index=True)[1]]
    odd = np.abs(p - shared[scene]).max(1) > TOLERANCE
    if odd.any():
        raise ForecastError(
            f"{describe(keys[int(odd.argmax())])} has other probabilities than the first track of its scene; mode k of "
            "all tracks of a scene is one world with one probability"
        )
    return shared
