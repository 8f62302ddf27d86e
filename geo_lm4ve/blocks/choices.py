"""What can be chosen about a frozen block.

Inside, a choice is a member of its Enum; its name stands for it in YAML and, for convenience, in calls of FrozenBlock.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

import torch

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.config import unknown

Choice = TypeVar("Choice", bound=Enum)

FinalNorm = Enum("FinalNorm", ["ones", "loaded", "off"])
"""The norm after the layers: the model's own with a gain of one (the released code never loads it), with its own
weights, or none. A model without a final norm (OPT-350M ends each layer in one) gets none under ``ones``."""

Train = Enum("Train", ["frozen", "full", "lora"])
"""What of the block is trained: nothing, everything (the final norm too), or low-rank updates of its matrices."""

StoredAs = Enum("StoredAs", ["stored", "float32", "bfloat16", "float16"])
"""The dtype in which matrices are held; ``stored``: as the source has them."""

Implementation = Enum("Implementation", ["auto", "gated", "hf"])
"""Whose layers compute: ours (gated families only), transformers' (any family), or ours where possible."""


def choice(kind: type[Choice], value: Choice | str, name: str) -> Choice:
    """The member of an Enum, given it or its name; BlockError lists the choices."""
    if isinstance(value, kind):
        return value
    if value not in kind.__members__:
        raise BlockError(unknown(name, str(value), kind.__members__))
    return kind[str(value)]


def held_dtype(stored: StoredAs, trained: Train) -> torch.dtype | None:
    """The dtype matrices are held in, None for as they come; trained ones are float32, as optimisers need it."""
    if trained is not Train.full:
        return None if stored is StoredAs.stored else getattr(torch, stored.name)
    if stored in (StoredAs.stored, StoredAs.float32):
        return torch.float32
    raise BlockError(
        f"train: full needs weights in float32, got dtype: {stored.name}; set dtype: float32, use autocast"
    )
