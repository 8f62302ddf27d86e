"""Drivable area compliance (DAC): the share of forecast trajectories that stay where a car may drive."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from geo_lm4ve.traffic.metrics.probabilities import ForecastError
from geo_lm4ve.traffic.records.surface import Surface


def drivable_area_compliance(
    positions: Float[np.ndarray, "s n f 2"], areas: Sequence[Surface], *, k: int
) -> Float[np.ndarray, " s"]:
    """Share of each scene's first min(k, n) modes with all points on the drivable area.

    The official code (argoverse-api ``get_drivable_area_compliance``) takes the modes in the order of the file, not
    the most likely ones.

    Args:
        positions: (S, n, F, 2) city coordinates in metres.
        areas: the drivable area of each scene; scenes of one city share one object.
        k: number of guesses allowed.

    Raises:
        ForecastError: not one area per scene.
    """
    if len(areas) != len(positions):
        raise ForecastError(f"{len(positions)} scenes need as many drivable areas, not {len(areas)}")
    kept = positions[:, :k]
    compliant = np.zeros(kept.shape[:2], dtype=bool)
    which = np.array([id(area) for area in areas])
    for area in {id(area): area for area in areas}.values():
        here = which == id(area)
        compliant[here] = area.contains(kept[here]).all(-1)
    return compliant.mean(1)
