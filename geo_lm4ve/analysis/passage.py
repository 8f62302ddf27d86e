"""What enters the bridge of a model and what leaves it, for one batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from geo_lm4ve.model import Model
from geo_lm4ve.tokens import TokenSet


@dataclass(frozen=True)
class Passage:
    """Tokens on both sides of the bridge (adapter in, block, adapter out), and what the model makes of them.

    Attributes:
        before: what enters.
        after: what leaves.
        output: of the model.
    """

    before: TokenSet
    after: TokenSet
    output: Any


@torch.no_grad()
def passage(model: Model, batch: Any) -> Passage:
    """The passage of all tokens of a batch, not only of those that the head reads."""
    caught: list[tuple[TokenSet, TokenSet]] = []

    def catch(_module: torch.nn.Module, arguments: tuple[Any, ...], result: TokenSet) -> None:
        caught.append((arguments[0], result))

    handle = model.bridge.register_forward_hook(catch)
    try:
        output = model.head(model.tokens(batch))
    finally:
        handle.remove()
    return Passage(*caught[0], output)
