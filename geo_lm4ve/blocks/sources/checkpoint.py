"""What every source of weights gives: names, a config, and tensors read one by one, never the whole model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from torch import Tensor


class Checkpoint(Protocol):
    """A language model at rest. Opening one reads headers; only ``read`` touches weights.

    Attributes:
        place: where it lies, for messages.
        config: the model's configuration in the vocabulary of transformers' ``config.json``.
        names: every tensor's name, in transformers' vocabulary.
    """

    place: str
    config: dict[str, Any]
    names: Collection[str]

    def read(self, names: Sequence[str]) -> dict[str, Tensor]:
        """These tensors in their stored dtype, and nothing else; BlockError when one cannot be read."""
        ...
