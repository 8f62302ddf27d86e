"""Random erasing (arXiv 1708.04896) as DeiT has it: a rectangle of a normalised image becomes noise, pixel by pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

LEAST, MOST = 0.02, 1 / 3
"""Share of the image's area that is asked for; sides are rounded to pixels."""
ASPECT = 0.3
"""The least height over width, and width over height."""
TRIES = 10
"""Rectangles that are drawn before the image stays whole: those as long as a side of it are none."""


@dataclass(frozen=True)
class Erasing:
    """See the module (``timm/data/random_erasing.py``: mode ``pixel``, count 1).

    Attributes:
        probability: that an image loses a rectangle.
    """

    probability: float

    def __call__(
        self, pixels: Float[Tensor, "b 3 h w"], randoms: Sequence[torch.Generator]
    ) -> Float[Tensor, "b 3 h w"]:
        """Normalised images, each after what its own generator draws."""
        pixels = pixels.clone()
        for image, random in zip(pixels, randoms):
            if torch.rand((), generator=random) < self.probability:
                top, left, height, width = self.draw(image.shape[1], image.shape[2], random)
                noise = torch.randn(3, height, width, generator=random)
                image[:, top : top + height, left : left + width] = noise
        return pixels

    def draw(self, rows: int, columns: int, random: torch.Generator) -> tuple[int, int, int, int]:
        """Top, left, height and width of a rectangle in an image of this size, in pixels; all 0 where none was met."""
        for share, bend in torch.rand(TRIES, 2, generator=random).tolist():
            area = rows * columns * (LEAST + (MOST - LEAST) * share)
            aspect = ASPECT ** (1 - 2 * bend)
            height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if height < rows and width < columns:
                top = int(torch.randint(rows - height + 1, (), generator=random))
                return top, int(torch.randint(columns - width + 1, (), generator=random)), height, width
        return 0, 0, 0, 0
