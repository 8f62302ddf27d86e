"""Queries, keys and values that a file holds apart, in one matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def joined(named: Mapping[str, Tensor], apart: Sequence[str], together: str) -> dict[str, Tensor]:
    """Tensors with those of the modules ``apart`` one below the other, in this order, as ``together``.

    Where one of them is missing the others keep their names, which nothing has a place for.
    """
    found = dict(named)
    for first in [key for key in found if f".{apart[0]}." in key]:
        names = [first.replace(apart[0], one) for one in apart]
        if all(name in found and found[name].shape[1:] == found[first].shape[1:] for name in names):
            found[first.replace(apart[0], together)] = torch.cat([found.pop(name) for name in names])
    return found
