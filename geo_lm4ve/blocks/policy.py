"""Which tokens see which: the paper's policy (padding only) and the language model's own (causal, rotary)."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Int, Int64
from torch import Tensor

from geo_lm4ve.tokens import take


def places(valid: Bool[Tensor, "b n"]) -> Int[Tensor, "b n"]:
    """The index of each token among the valid ones of its row, so that padding never shifts a position."""
    return (valid.cumsum(-1) - 1).clamp(min=0)


@dataclass(frozen=True)
class AttentionPolicy:
    """What the attention of a block may use besides the tokens themselves.

    Attributes:
        causal: a token sees itself and earlier ones only, within the model's own sliding window if it has one. The
            paper drops this: visual tokens have no order (section 3).
        rotary: turn queries and keys by the model's own rotary embedding, positions = index among the valid tokens.
            The paper drops this too.
    """

    causal: bool = False
    rotary: bool = False

    def visible(
        self, valid: Bool[Tensor, "b n"], window: int | None = None, rows: Int64[Tensor, "b q"] | None = None
    ) -> Bool[Tensor, "b 1 _ n"]:
        """True where a query may attend to a key; padding is never visible.

        Queries are the tokens that ``rows`` names, or all; their dimension is 1 where every query sees the same.
        A query that would see nothing (padding itself) sees everything instead: its output is discarded, and a
        softmax over nothing would be NaN.
        """
        seen = valid[:, None, None, :]
        if self.causal:
            place = places(valid)
            queries = place if rows is None else take(place, rows)
            gap = queries[:, None, :, None] - place[:, None, None, :]
            seen = seen & (gap >= 0)
            if window is not None:
                seen = seen & (gap < window)
        return seen | ~seen.any(-1, keepdim=True)

    def __str__(self) -> str:
        mask = "causal" if self.causal else "padding-only"
        return f"{mask} mask, {'rotary' if self.rotary else 'no rotary'}"
