"""What a head is: TokenSet -> prediction, with a declaration of the tokens it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from geo_lm4ve.calls import check_token_set
from geo_lm4ve.config import PartConfig
from geo_lm4ve.tokens import TokenSet


class Head(nn.Module):
    """Maps a token set to a prediction.

    Attributes:
        reads: names of the spans whose tokens reach the prediction; all others are dead for it.
        norm_first: True if a LayerNorm is the first thing that happens to each token read. The backbone's own final
            norm lives here because the paper puts the block before it.
        dim: width D of the tokens it takes; None: not said.
    """

    reads: tuple[str, ...]
    norm_first: bool
    dim: int | None = None

    def __call__(self, tokens: Any) -> Any:
        """``forward`` of a token set that fits.

        Raises:
            InputError: it is none, or of another width or without the spans that are read; says what is taken.
        """
        check_token_set(type(self).__name__, self.dim, self.reads, tokens)
        return super().__call__(tokens)

    def forward(self, tokens: TokenSet) -> Any:
        """The prediction of this head's task."""
        raise NotImplementedError


@dataclass
class HeadConfig(PartConfig):
    """Base of the ``head`` group.

    Attributes:
        default_outputs: outputs that ``create_model`` gives the head unless told, those of the published model; None:
            it has to be told. An experiment asks its task.
        gives: class of its predictions; None: not said, and nothing is refused for it.
        lasting: False for a head of pre-training: a model with another head starts from its run without it.
    """

    default_outputs: ClassVar[int | None] = None
    gives: ClassVar[type | None] = None
    lasting: ClassVar[bool] = True

    def needs(self) -> frozenset[str] | None:
        """Names of the spans and context entries that the head reads (of ``EncoderConfig.offers``); None: not said."""
        return None

    def build(self, dim: int, outputs: int) -> Head:
        """A head that reads tokens of width ``dim`` and has ``outputs`` outputs (classes, answers, ...)."""
        raise NotImplementedError
