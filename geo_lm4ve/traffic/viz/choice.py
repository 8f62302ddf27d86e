"""Which of many scenes to show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geo_lm4ve.viz.choice import evenly


def worst_and_spread(errors: Sequence[float], count: int) -> list[int]:
    """Places of at most ``count`` scenes, ascending: half of them the worst, the others evenly spaced over the rest."""
    total = len(errors)
    if total <= count:
        return list(range(total))
    order = np.argsort(-np.asarray(errors, dtype=float), kind="stable")
    worst = order[: (count + 1) // 2]
    rest = np.setdiff1d(np.arange(total), worst)
    spread = rest[evenly(len(rest), count - len(worst))]
    return sorted(np.concatenate([worst, spread]).tolist())


def middles(total: int, count: int) -> list[int]:
    """The middle places of at most ``count`` equal parts of ``total``: of ranks, none stands for the extremes alone."""
    count = min(count, total)
    return [total * (2 * part + 1) // (2 * count) for part in range(count)]
