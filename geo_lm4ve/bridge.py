"""The paper in ten lines: adapter in -> block -> adapter out, on the chosen spans of a token set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from geo_lm4ve.blocks.base import Block
from geo_lm4ve.calls import check_token_set
from geo_lm4ve.config import ConfigError, PartConfig, register
from geo_lm4ve.tokens import Kept, TokenSet, put, take

Residual = Enum("Residual", ["none", "in", "out", "hybrid"])
"""Where a skip connection goes round the block, with u = adapter_in(z) (R-LLM, arXiv 2403.17343):
``none``: adapter_out(block(u)), the paper; ``in``: adapter_out(block(u) + u); ``out``: z + adapter_out(block(u));
``hybrid``: both."""


class AdapterInit(Enum):
    """How adapters start: PyTorch's Linear default (point clouds, video) or truncated normal, std 0.02 (images)."""

    torch = "torch"
    trunc_normal = "trunc_normal"


@dataclass
class BridgeConfig(PartConfig):
    """Base of the ``bridge`` group.

    Attributes:
        after: name of the encoder stage the bridge follows; None: the one that the encoder says (``Encoder.tap``),
            which is the last (the paper's "tail") unless the last leaves too few tokens to filter.
        lr_scale: learning rate of everything inside the bridge as a multiple of ``optim.lr``.
        weight_decay: weight decay of everything inside the bridge; None: that of ``optim``.
    """

    after: str | None = None
    lr_scale: float = 1.0
    weight_decay: float | None = None

    def needs(self) -> frozenset[str] | None:
        """Names of the spans that pass through (of ``EncoderConfig.offers``); None: not known here."""
        return None

    def build(self, block: Block, dim: int) -> Bridge:
        """The bridge round ``block`` for tokens of width ``dim``."""
        raise NotImplementedError


@register("bridge", "linear")
@dataclass
class LinearBridgeConfig(BridgeConfig):
    """Two linear adapters (paper section 3, released code: no bias).

    Attributes:
        spans: names of the token spans that pass through; None: all tokens.
        residual: skip connection round the block.
        bias: give the adapters a bias (the paper's Fig. 1b pseudo-code; the released code has none).
        init: how the adapters start.
        checkpoint: recompute the bridge in the backward pass instead of keeping its activations.
    """

    name: str = "linear"
    spans: list[str] | None = None
    residual: Residual = Residual.none
    bias: bool = False
    init: AdapterInit = AdapterInit.torch
    checkpoint: bool = False

    def needs(self) -> frozenset[str] | None:
        """The chosen spans, where the bridge follows the stage that the encoder says."""
        return None if self.spans is None or self.after is not None else frozenset(self.spans)

    def build(self, block: Block, dim: int) -> Bridge:
        """A LinearBridge; for a block without a width of its own (identity) a Bridge without adapters."""
        if block.dim is None:
            return Bridge(block, self.spans)
        return LinearBridge(self, block, dim)


class Bridge(nn.Module):
    """Sends the tokens of the chosen spans through a block that works at their own width (no adapters).

    Attributes:
        block: what they go through.
        spans: names of the chosen spans; None: all tokens.
        dim: width d of the tokens it takes; None: any.
    """

    def __init__(self, block: Block, spans: list[str] | None = None):
        super().__init__()
        self.block = block
        self.spans = tuple(spans) if spans else None
        self.dim = block.dim

    def __call__(self, tokens: Any, reads: Sequence[str] | None = None) -> Any:
        """``forward`` of a token set that fits.

        Raises:
            InputError: it is none, or of another width or without the chosen spans; says what is taken.
        """
        check_token_set("a bridge", self.dim, self.spans or (), tokens)
        return super().__call__(tokens, reads)

    def forward(self, tokens: TokenSet, reads: Sequence[str] | None = None) -> TokenSet:
        """The token set with the chosen spans filtered; everything else is untouched.

        Args:
            tokens: what the encoder's stage made.
            reads: names of the spans that somebody reads afterwards; None: all. What comes out in the places of the
                other tokens then has no meaning, and is not computed where the block can do without.
        """
        part = tokens.select(*self.spans) if self.spans else tokens
        part = part.replace(features=self.filter(part, reads))
        return tokens.write_back(part) if self.spans else part

    def filter(self, part: TokenSet, reads: Sequence[str] | None) -> Float[Tensor, "b n d"]:
        """What happens to the features; only those of the spans ``reads`` matter (None: all)."""
        return self.block(part.features, part.valid)


class LinearBridge(Bridge):
    """z -> adapter_out(block(adapter_in(z))), with the residual that was asked for.

    Attributes:
        adapter_in: Linear d -> D, the paper's F_L^1 (``llama_dim_mapper1`` in released checkpoints).
        adapter_out: Linear D -> d, the paper's F_L^2 (``llama_dim_mapper2``).
    """

    def __init__(self, config: LinearBridgeConfig, block: Block, dim: int):
        super().__init__(block, config.spans)
        if block.dim is None:
            raise ConfigError("a linear bridge needs a block with a width of its own; the identity block has none")
        self.dim = dim
        self.residual = config.residual
        self.checkpoint = config.checkpoint
        self.adapter_in = nn.Linear(dim, block.dim, bias=config.bias)
        self.adapter_out = nn.Linear(block.dim, dim, bias=config.bias)
        if config.init is AdapterInit.trunc_normal:
            for adapter in (self.adapter_in, self.adapter_out):
                nn.init.trunc_normal_(adapter.weight, std=0.02)

    def filter(self, part: TokenSet, reads: Sequence[str] | None) -> Float[Tensor, "b n d"]:
        """Adapter in, block, adapter out (paper eq. 2); zeros in place of most tokens that nobody reads."""
        part = part.settled()
        z, rows = part.features, _rows(part, reads)
        arguments = z, part.valid, rows, part.kept(*(reads or ()))
        if self.checkpoint and z.requires_grad:
            y = checkpoint(self._filter, *arguments, use_reentrant=False)
        else:
            y = self._filter(*arguments)
        return y if rows is None else put(y, rows, z.shape[1])

    def _filter(self, z: Tensor, valid: Tensor, rows: Tensor | None, kept: Kept) -> Tensor:
        u = self.adapter_in(z)
        y = self.block.at(u, valid, rows, kept)
        if rows is not None:
            u, z = take(u, rows), take(z, rows)
        if self.residual in (Residual["in"], Residual.hybrid):
            y = y + u
        y = self.adapter_out(y)
        return y + z if self.residual in (Residual.out, Residual.hybrid) else y

    @property
    def adapters(self) -> list[nn.Linear]:
        """The two adapters, in the order of the data."""
        return [self.adapter_in, self.adapter_out]


def _rows(part: TokenSet, reads: Sequence[str] | None) -> Tensor | None:
    """Indices of the tokens that are read, or None for all: where no others are there, or nothing is read."""
    if reads is None or not part.spans.keys() - set(reads):
        return None
    rows = part.rows(*reads)
    return rows if rows.shape[1] else None
