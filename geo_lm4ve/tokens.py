"""TokenSet: the one value type that crosses every border between encoder, bridge and head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64, Shaped
from torch import Tensor


@dataclass(frozen=True)
class TokenSet:
    """A padded batch of token sets.

    Attributes:
        features: (B, N, D) token features.
        valid: (B, N) True where a token is real, False where it is padding.
        spans: name -> (start, stop) of contiguous token groups along N, e.g. ``cls``, ``groups``, ``agents``,
            ``lanes``, ``objects``, ``question``, ``visual``. Spans do not overlap; together they may cover less than N.
        positions: (B, N, P) where a token sits (metres or normalised units, as its encoder says), or None.
        context: what a head needs and the block must not touch (agent frames, proposal boxes, position embeddings).
    """

    features: Float[Tensor, "b n d"]
    valid: Bool[Tensor, "b n"]
    spans: Mapping[str, tuple[int, int]]
    positions: Float[Tensor, "b n p"] | None = None
    context: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what every later stage relies on; raises ValueError."""
        if self.features.shape[:2] != self.valid.shape:
            raise ValueError(
                f"features {tuple(self.features.shape)} and valid {tuple(self.valid.shape)} must agree in (B, N)"
            )
        end = 0
        for name, (start, stop) in sorted(self.spans.items(), key=lambda item: item[1]):
            if not end <= start <= stop <= self.features.shape[1]:
                raise ValueError(
                    f"span {name!r} ({start}, {stop}) overlaps another or leaves the {self.features.shape[1]} tokens"
                )
            end = stop

    @property
    def dim(self) -> int:
        """Width D of the features."""
        return self.features.shape[2]

    def span(self, name: str) -> slice:
        """The slice along N of a named span; KeyError lists the spans there are."""
        if name not in self.spans:
            raise KeyError(f"no span {name!r} among {sorted(self.spans)}: the encoder does not make such tokens")
        return slice(*self.spans[name])

    def replace(self, **changes: Any) -> TokenSet:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def with_context(self, **values: Any) -> TokenSet:
        """A copy with more entries in ``context``."""
        return replace(self, context={**self.context, **values})

    def select(self, *names: str) -> TokenSet:
        """Only the tokens of the named spans, in the given order."""
        pieces = [self.span(name) for name in names]
        spans, end = {}, 0
        for name, piece in zip(names, pieces):
            spans[name] = (end, end + piece.stop - piece.start)
            end = spans[name][1]

        def gather(tensor: Tensor) -> Tensor:
            return torch.cat([tensor[:, piece] for piece in pieces], dim=1)

        positions = None if self.positions is None else gather(self.positions)
        return replace(self, features=gather(self.features), valid=gather(self.valid), spans=spans, positions=positions)

    def write_back(self, part: TokenSet) -> TokenSet:
        """This set with the features of the spans of ``part`` (a ``select`` of it) put in their places."""
        features = self.features.clone()
        for name in part.spans:
            features[:, self.span(name)] = part.features[:, part.span(name)].to(features.dtype)
        return replace(self, features=features)

    def rows(self, *names: str) -> Int64[Tensor, "b q"]:
        """Indices along N of the valid tokens of the named spans (those that exist), in their order.

        Q is as large as the sample with most of them needs; the others fill up with indices of other tokens.
        """
        wanted = torch.zeros_like(self.valid)
        for name in set(names) & self.spans.keys():
            wanted[:, self.span(name)] = self.valid[:, self.span(name)]
        most = int(wanted.sum(1).max())
        return wanted.byte().argsort(dim=1, descending=True, stable=True)[:, :most]

    def pool(self, mode: str, span: str | None = None) -> Float[Tensor, "b d"]:
        """Pool the valid tokens (of one span) to (B, D): ``max``, ``mean`` or ``first``.

        A row with no valid token pools to zeros.
        """
        piece = self.span(span) if span else slice(None)
        features, valid = self.features[:, piece], self.valid[:, piece, None]
        if mode == "first":
            return torch.where(valid[:, 0], features[:, 0], 0.0)
        if mode == "mean":
            return torch.where(valid, features, 0.0).sum(1) / valid.sum(1).clamp(min=1)
        if mode == "max":
            pooled = features.masked_fill(~valid, -torch.inf).amax(1)
            return torch.where(valid.any(1), pooled, 0.0)
        raise ValueError(f"pool mode {mode!r} is none of max, mean, first")


def take(values: Shaped[Tensor, "b n *d"], rows: Int64[Tensor, "b q"]) -> Shaped[Tensor, "b q *d"]:
    """Values of the tokens that ``rows`` names, sample by sample."""
    return values.take_along_dim(rows.reshape(*rows.shape, *[1] * (values.dim() - 2)), dim=1)


def put(values: Float[Tensor, "b q d"], rows: Int64[Tensor, "b q"], tokens: int) -> Float[Tensor, "b n d"]:
    """The inverse of ``take``: values in the places that ``rows`` names among N = ``tokens``, zeros elsewhere."""
    spread = values.new_zeros(len(values), tokens, values.shape[2])
    return spread.scatter(1, rows[..., None].expand_as(values), values)


def join(*sets: TokenSet) -> TokenSet:
    """Concatenate token sets of one batch along N; span names must differ, contexts are merged."""
    spans: dict[str, tuple[int, int]] = {}
    context: dict[str, Any] = {}
    offset = 0
    for tokens in sets:
        if clash := spans.keys() & tokens.spans.keys():
            raise ValueError(f"span names {sorted(clash)} occur twice")
        spans |= {name: (start + offset, stop + offset) for name, (start, stop) in tokens.spans.items()}
        context |= tokens.context
        offset += tokens.features.shape[1]
    positions = [tokens.positions for tokens in sets]
    known = [position for position in positions if position is not None]
    if known and len(known) != len(positions):
        raise ValueError("either all joined token sets carry positions or none does")
    return TokenSet(
        features=torch.cat([tokens.features for tokens in sets], dim=1),
        valid=torch.cat([tokens.valid for tokens in sets], dim=1),
        spans=spans,
        positions=torch.cat(known, dim=1) if known else None,
        context=context,
    )
