"""Which rows of the files make a split: a validation part carved out of train, and a thinned set for debugging."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

_MASK64 = (1 << 64) - 1


def hold_out(labels: Int[Tensor, " n"], fraction: float) -> tuple[Int[Tensor, " t"], Int[Tensor, " v"]]:
    """Rows for training and for validation, both in file order.

    Of every class the rows with the lowest hash of their number are held out, ``fraction`` of them rounded, never
    all. The choice depends on nothing but row numbers and labels, so it is the same for every seed.
    """
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique().tolist():
        rows = (labels == label).nonzero()[:, 0]
        count = min(round(fraction * len(rows)), len(rows) - 1)
        held[sorted(rows.tolist(), key=_hash)[:count]] = True
    return (~held).nonzero()[:, 0], held.nonzero()[:, 0]


def subsample(rows: Int[Tensor, " n"], limit: int | None) -> Int[Tensor, " m"]:
    """At most ``limit`` of the rows, evenly spaced, so that files sorted by class keep their classes."""
    if limit is None or limit >= len(rows):
        return rows
    return rows[torch.arange(limit) * len(rows) // limit]


def _hash(row: int) -> int:
    """64-bit mix of a row number (the finaliser of SplitMix64)."""
    mixed = (row + 0x9E3779B97F4A7C15) & _MASK64
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK64
    return mixed ^ (mixed >> 31)
