"""How many steps the trajectories of an Argoverse 1 file have: the file does not state it, its rows tell.

A table of 360 rows per sequence is six trajectories of 60 steps as well as twelve of 30. What tells them apart: a
trajectory has one probability; it goes on from row to row, and the next one starts again where the agent was last seen;
probabilities of the modes of a sequence sum to one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int64

MARGIN_M = 1.0
"""A row goes on or starts anew when it is this much nearer to the row before, or to the first row of its sequence."""
SUM_TOLERANCE = 1e-3
"""How far the sum of probabilities may be from one, relative: files also come from float16."""


def possible_steps(sequences: Float[np.ndarray, "n rows columns"]) -> list[int]:
    """The numbers of steps per trajectory that the rows allow, ascending; several where nothing tells them apart.

    Evidence that fits no number at all (positions that are no tracks, a damaged probability) excludes none.

    Args:
        sequences: N sequences with as many rows each, in file order: x, y [m] and, where there is one, probability.
    """
    rows = sequences.shape[1]
    possible = [steps for steps in range(2, rows + 1) if rows % steps == 0]
    for fits in _evidence(sequences):
        possible = [steps for steps in possible if fits(steps)] or possible
    return possible


def _evidence(sequences: Float[np.ndarray, "n rows columns"]) -> list[Callable[[int], bool]]:
    """Tests of a number of steps, the surest first."""
    later = np.arange(1, sequences.shape[1])
    turns = _turns(sequences[:, :, :2])

    def moves(steps: int) -> bool:
        return bool((np.where(later % steps == 0, turns, -turns) >= 0).all())

    if sequences.shape[2] == 2:
        return [moves]
    p = sequences[:, :, 2]
    changes = later[(p[:, 1:] != p[:, :-1]).mean(0) > 0.5]
    totals = p.sum(1)

    def weighs(steps: int) -> bool:
        return not (changes % steps).any()

    def sums(steps: int) -> bool:
        return bool((np.abs(totals / steps - 1) < SUM_TOLERANCE).all())

    return [weighs, moves, sums]


def _turns(positions: Float[np.ndarray, "n rows 2"]) -> Int64[np.ndarray, " later"]:
    """For each row but the first: 1 where most sequences start anew, -1 where most go on, 0 where none can tell."""
    on = np.linalg.norm(positions[:, 1:] - positions[:, :-1], axis=-1)
    anew = np.linalg.norm(positions[:, 1:] - positions[:, :1], axis=-1)
    return np.sign((on > anew + MARGIN_M).sum(0) - (anew > on + MARGIN_M).sum(0))
