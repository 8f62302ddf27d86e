"""Which of many things to show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def evenly(total: int, count: int) -> list[int]:
    """At most ``count`` places out of ``total``, evenly spaced, the first and the last among them."""
    return sorted(set(np.linspace(0, total - 1, min(count, total)).round().astype(int).tolist()))


def fitting(sizes: Sequence[int], room: int) -> list[int]:
    """As many places as fit into ``room``, evenly spaced over all; at least one if there is any.

    Args:
        sizes: what each place takes.
        room: what there is for them.
    """

    def fits(count: int) -> bool:
        return sum(sizes[place] for place in evenly(len(sizes), count)) <= room

    if fits(len(sizes)):
        return evenly(len(sizes), len(sizes))
    fitting, too_many = 1, len(sizes)
    while too_many - fitting > 1:
        middle = (fitting + too_many) // 2
        fitting, too_many = (middle, too_many) if fits(middle) else (fitting, middle)
    return evenly(len(sizes), fitting)
