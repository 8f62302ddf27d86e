"""What numbers of a scene can be at all: beyond that a file is damaged, whatever it is."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

FARTHEST = 1e8
"""Largest size of a city coordinate [m], a speed [m/s] or an angle [rad]: no map of the Earth is that wide, and float32
networks square what they get."""


def plausible(values: Float[np.ndarray, "*n"]) -> Bool[np.ndarray, "*n"]:
    """Which values are finite and no larger than FARTHEST."""
    return np.abs(values) <= FARTHEST
