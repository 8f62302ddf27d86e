"""TokenSet: the one value type that crosses every border between encoder, bridge and head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64, Shaped
from torch import Tensor


@dataclass(frozen=True)
class Lengths:
    """How many tokens of each sample are valid: plain numbers on the host, so that no step asks a device for them.

    Attributes:
        total: valid tokens of each of B samples.
        spans: name -> those in a span.
    """

    total: tuple[int, ...]
    spans: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, valid: Bool[Tensor, "b n"], spans: Mapping[str, tuple[int, int]]) -> Lengths:
        """Counted in the mask, which waits for its device: for sets whose maker does not say."""
        parts = [valid, *(valid[:, slice(*piece)] for piece in spans.values())]
        total, *rest = torch.stack([part.sum(1) for part in parts]).tolist()
        return cls(tuple(total), {name: tuple(counts) for name, counts in zip(spans, rest)})

    @classmethod
    def joined(cls, parts: Sequence[Lengths | None]) -> Lengths | None:
        """Those of sets that stand one behind the other, or None if those of one are not known."""
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        total = tuple(map(sum, zip(*(part.total for part in known))))
        return cls(total, {name: counts for part in known for name, counts in part.spans.items()})

    def read(self, *names: str) -> tuple[int, ...]:
        """Valid tokens of each sample in the named spans (those that exist)."""
        known = [self.spans[name] for name in self.spans if name in names]
        return tuple(map(sum, zip(*known))) if known else (0,) * len(self.total)


@dataclass(frozen=True)
class Kept:
    """How many tokens of a batch are worth computing: the others are padding.

    Attributes:
        tokens: valid tokens of all samples.
        rows: valid ones among those that ``TokenSet.rows`` names.
    """

    tokens: int
    rows: int


@dataclass(frozen=True)
class TokenSet:
    """A padded batch of token sets.

    >>> import geo_lm4ve, torch
    >>> tokens = geo_lm4ve.TokenSet.full(torch.randn(2, 5, 8), {"cls": (0, 1), "groups": (1, 5)})
    >>> tokens.pool("max", "groups").shape
    torch.Size([2, 8])

    Attributes:
        features: (B, N, D) token features.
        valid: (B, N) True where a token is real, False where it is padding.
        spans: name -> (start, stop) of contiguous token groups along N, e.g. ``cls``, ``groups``, ``agents``,
            ``lanes``, ``objects``, ``question``, ``visual``. Spans do not overlap; together they may cover less than N.
        positions: (B, N, P) where a token sits (metres or normalised units, as its encoder says), or None.
        context: what a head needs and the block must not touch (agent frames, proposal boxes, position embeddings).
        known: how many tokens are valid, as whoever made the set knew it; None: ``lengths`` asks the mask. All of them
            where a device decides which are (proposals of a detector): padding is computed then, too, and still masked.
    """

    features: Float[Tensor, "b n d"]
    valid: Bool[Tensor, "b n"]
    spans: Mapping[str, tuple[int, int]]
    positions: Float[Tensor, "b n p"] | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    known: Lengths | None = None

    def __post_init__(self) -> None:
        """Check what every later stage relies on; raises ValueError."""
        if self.features.dim() != 3 or self.features.shape[:2] != self.valid.shape:
            raise ValueError(
                f"features must be (B, N, D) and valid (B, N), not {tuple(self.features.shape)} and "
                f"{tuple(self.valid.shape)}"
            )
        end = 0
        for name, (start, stop) in sorted(self.spans.items(), key=lambda item: item[1]):
            if not end <= start <= stop <= self.features.shape[1]:
                raise ValueError(
                    f"span {name!r} ({start}, {stop}) overlaps another or leaves the {self.features.shape[1]} tokens"
                )
            end = stop

    @classmethod
    def full(cls, features: Float[Tensor, "b n d"], spans: Mapping[str, tuple[int, int]], **more: Any) -> TokenSet:
        """A set without padding: every token is valid, and its lengths are known."""
        size, tokens = features.shape[:2]
        valid = torch.ones(size, tokens, dtype=torch.bool, device=features.device)
        lengths = Lengths((tokens,) * size, {name: (stop - start,) * size for name, (start, stop) in spans.items()})
        return cls(features, valid, spans, known=lengths, **more)

    @property
    def dim(self) -> int:
        """Width D of the features."""
        return self.features.shape[2]

    @property
    def lengths(self) -> Lengths:
        """How many tokens are valid; asked of the mask, and so of its device, where it is not known."""
        return Lengths.of(self.valid, self.spans) if self.known is None else self.known

    def settled(self) -> TokenSet:
        """The same set with its lengths known."""
        return replace(self, known=self.lengths)

    def span(self, name: str) -> slice:
        """The slice along N of a named span; KeyError lists the spans there are."""
        if name not in self.spans:
            raise KeyError(f"no span {name!r} among {sorted(self.spans)}: the encoder does not make such tokens")
        return slice(*self.spans[name])

    def replace(self, **changes: Any) -> TokenSet:
        """A copy with some fields changed; other masks or spans have other lengths."""
        if changes.keys() & {"valid", "spans"}:
            changes = {"known": None, **changes}
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

        known = self.known and Lengths(self.known.read(*names), {name: self.known.spans[name] for name in names})
        positions = None if self.positions is None else gather(self.positions)
        features, valid = gather(self.features), gather(self.valid)
        return replace(self, features=features, valid=valid, spans=spans, positions=positions, known=known)

    def write_back(self, part: TokenSet) -> TokenSet:
        """This set with the features of the spans of ``part`` (a ``select`` of it) put in their places."""
        features = self.features.clone()
        for name in part.spans:
            features[:, self.span(name)] = part.features[:, part.span(name)].to(features.dtype)
        return replace(self, features=features)

    def rows(self, *names: str) -> Int64[Tensor, "b q"]:
        """Indices along N of the valid tokens of the named spans (those that exist), in their order.

        Q is as large as the sample with most of them needs; the others fill up with indices of other tokens, of
        padding as far as there is any.
        """
        wanted = torch.zeros_like(self.valid)
        for name in set(names) & self.spans.keys():
            wanted[:, self.span(name)] = self.valid[:, self.span(name)]
        order = (2 * wanted.byte() + ~self.valid).argsort(dim=1, descending=True, stable=True)
        return order[:, : max(self.lengths.read(*names), default=0)]

    def kept(self, *names: str) -> Kept:
        """How many tokens are valid, in all and among ``rows(*names)``."""
        lengths, tokens = self.lengths, self.features.shape[1]
        read = lengths.read(*names)
        most = max(read, default=0)
        rows = [max(own, most - (tokens - total)) for own, total in zip(read, lengths.total)]
        return Kept(sum(lengths.total), sum(rows))

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


def true_places(mask: Bool[Tensor, "b n"], count: int) -> tuple[Int64[Tensor, " k"], Int64[Tensor, " k"]]:
    """Row and column of each True as ``nonzero`` gives them; as there are ``count``, no device is waited for."""
    row, column = torch.nonzero_static(mask, size=count).T.contiguous()  # strided indices make what uses them slower
    return row, column


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
    positions = [tokens.positions for tokens in sets if tokens.positions is not None]
    if positions and len(positions) != len(sets):
        raise ValueError("either all joined token sets carry positions or none does")
    return TokenSet(
        features=torch.cat([tokens.features for tokens in sets], dim=1),
        valid=torch.cat([tokens.valid for tokens in sets], dim=1),
        spans=spans,
        positions=torch.cat(positions, dim=1) if positions else None,
        context=context,
        known=Lengths.joined([tokens.known for tokens in sets]),
    )
