"""Texts as vectors of their words: what every text encoder makes, whatever it is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class Words:
    """Texts as vectors of their words.

    Attributes:
        vectors: (B, L, D), L the words of the longest text; zero behind the last word of a text.
        lengths: words of each text, at least 1: plain numbers on the host.
    """

    vectors: Float[Tensor, "b l d"]
    lengths: tuple[int, ...]

    def __post_init__(self) -> None:
        """ValueError unless every text has between 1 and L words, and the longest has L."""
        size, longest = self.vectors.shape[:2]
        if len(self.lengths) != size or not self.lengths or min(self.lengths) < 1 or max(self.lengths) != longest:
            raise ValueError(f"{size} texts of up to {longest} words do not have the lengths {self.lengths}")

    def __len__(self) -> int:
        """Number of texts B."""
        return len(self.lengths)

    @property
    def valid(self) -> Bool[Tensor, "b l"]:
        """True where a text has a word."""
        places = torch.arange(self.vectors.shape[1], device=self.vectors.device)
        return places < torch.tensor(self.lengths).to(self.vectors.device, non_blocking=True)[:, None]

    def to(self, device: torch.device | str) -> Words:
        """The same words on another device."""
        return Words(self.vectors.to(device), self.lengths)


Texts: TypeAlias = tuple[str, ...] | Words
"""Texts as they were typed, for the text encoder of a model; or what another one has made of them."""


def to_device(texts: Texts, device: torch.device | str) -> Texts:
    """Texts for a model on that device: strings stay where they are."""
    return texts.to(device) if isinstance(texts, Words) else texts
