"""What an encoder is: a short sequence of named stages, Batch -> TokenSet -> ... -> TokenSet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from geo_lm4ve.config import PartConfig
from geo_lm4ve.parts.data import Batch, DataConfig
from geo_lm4ve.tokens import TokenSet


class Encoder(nn.Module):
    """A sequence of named stages; it does not know that a block exists.

    The first stage maps a Batch to a TokenSet, each later one a TokenSet to a TokenSet. The model runs the stages and
    puts the bridge after the one that ``bridge.after`` names, or after ``tap``.

    Attributes:
        stages: name -> stage, in order.
        dims: stage name -> width D of the tokens after it.
    """

    stages: nn.ModuleDict
    dims: dict[str, int]

    @property
    def last(self) -> str:
        """Name of the last stage."""
        return list(self.stages)[-1]

    @property
    def tap(self) -> str:
        """Name of the stage that the bridge follows if ``bridge.after`` is not set: the last (the paper's "tail")."""
        return self.last

    @property
    def chosen(self) -> Mapping[str, str]:
        """Lines that a run announces of it besides its parameters: heading -> what was chosen."""
        return {}

    def taken(self, given: Any) -> Any:
        """What the first stage takes, made of what a model was called with: the Batch, or the natural tensor of it.

        Raises:
            InputError: neither; says what to pass, with the line that makes it.
        """
        return given

    def forward(self, given: Any) -> TokenSet:
        """All stages, without any bridge."""
        value = self.taken(given)
        for stage in self.stages.values():
            value = stage(value)
        return value


@dataclass
class EncoderConfig(PartConfig):
    """Base of the ``encoder`` group.

    Attributes:
        freeze: train no parameter of the encoder and keep it in eval mode (adapter-only training).
        takes: class of the batches that its first stage takes; None: not said, and nothing is refused for it.
        offers: names of the spans and context entries of its last stage's tokens, and of those at its tap; None: not
            said.
        pretrained_spans: spans of the unmasked encoder that pre-training trains; a probe of its run reads them.
        default_head: option that ``create_model`` takes where no head is named like the encoder.
        default_outputs: outputs that ``create_model`` gives the head unless told, those of the published models of this
            encoder; None: the head's usual number.
    """

    takes: ClassVar[type | None] = None
    offers: ClassVar[frozenset[str] | None] = None
    pretrained_spans: ClassVar[tuple[str, ...]] = ()
    default_head: ClassVar[str] = "classification"
    default_outputs: ClassVar[int | None] = None

    freeze: bool = False

    def build(self) -> Encoder:
        """The encoder with fresh weights."""
        raise NotImplementedError

    def lacks(self, data: DataConfig | type[DataConfig]) -> str:
        """What the first stage misses in batches of the class that it takes, with the change that mends it; or "".

        Args:
            data: config of data whose batches have that class; a class leaves its values open, and lacks nothing.
        """
        return ""

    def look(self, data: DataConfig) -> None:
        """Look whether what the first stage needs for batches of these data is at hand, before any is read.

        Raises:
            ConfigError: it is not; says which key names it.
        """
        return None

    def unmasked(self) -> EncoderConfig:
        """The encoder that is used after pre-training: this one, unless it hides a part of every sample."""
        return self

    def sample_batch(self, size: int = 2, seed: int = 0) -> Batch:
        """A small batch of random samples such as the encoder takes, for tests of models and a first look."""
        raise NotImplementedError
