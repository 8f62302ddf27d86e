"""What drivable-area compliance asks a map."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float


@runtime_checkable
class Surface(Protocol):
    """The drivable area around a scene."""

    def contains(self, points: Float[np.ndarray, "*n 2"]) -> Bool[np.ndarray, "*n"]:
        """Whether city positions [m] are drivable."""
