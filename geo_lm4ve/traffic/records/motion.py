"""Heading and velocity of tracks that come without them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from geo_lm4ve.traffic.frames import displacement_heading

MIN_MOVE = 0.5
"""A heading is read off a displacement of at least this [m]: the positions of a standing agent jitter."""


def last_heading(positions: NDArray[np.float64], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(A,) direction of motion of (A, T, 2) tracks at their last valid step [rad]; 0 for those that never moved."""
    return displacement_heading(torch.from_numpy(positions), torch.from_numpy(valid), MIN_MOVE).numpy()


def last_velocity(
    positions: NDArray[np.float64], valid: NDArray[np.bool_], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(A, 2) velocity [m/s] between the last two valid steps of (A, T, 2) tracks; 0 for those with fewer.

    Args:
        positions: positions [m].
        valid: (A, T).
        times: (T,) seconds.
    """
    steps = np.arange(valid.shape[1])
    last = np.where(valid, steps, -1).max(1)
    before = np.where(valid & (steps < last[:, None]), steps, -1).max(1)
    rows = np.arange(len(positions))
    moved = positions[rows, last] - positions[rows, before]
    elapsed = np.where(before >= 0, times[last] - times[before], np.inf)
    return moved / elapsed[:, None]
