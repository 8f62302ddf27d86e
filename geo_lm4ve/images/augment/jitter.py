"""Colour jitter as torchvision has it: brightness, contrast and colour by random factors, in random order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import UInt8
from torch import Tensor

from geo_lm4ve.images.augment.steps import Step, taken

NAMES = ("Brightness", "Contrast", "Color")


@dataclass(frozen=True)
class Jitter:
    """See the module.

    Attributes:
        strength: factors lie within 1 - strength, at least 0, and 1 + strength.
    """

    strength: float

    def __call__(self, views: UInt8[Tensor, "b 3 h w"], randoms: Sequence[torch.Generator]) -> UInt8[Tensor, "b 3 h w"]:
        """Each view after what its own generator draws."""
        return taken(views, [self.plan(random) for random in randoms], (0, 0, 0))

    def plan(self, random: torch.Generator) -> list[Step | None]:
        """The three operators for one image."""
        least, most = max(0.0, 1 - self.strength), 1 + self.strength
        order = torch.randperm(len(NAMES), generator=random).tolist()
        shares = torch.rand(len(NAMES), generator=random).tolist()
        return [Step(NAMES[number], least + (most - least) * share) for number, share in zip(order, shares)]
