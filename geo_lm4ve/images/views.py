"""What a model sees of an image: a random window of it in training, the middle of it in evaluation.

Sizes are rounded as torchvision does (``RandomResizedCrop``, ``Resize``, ``CenterCrop``), on images of Pillow, whose
bicubic filter widens with the reduction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

LONGEST = 1 << 14
"""Pixels of a resized side; of a longer one only what is seen is made."""
TRIES = 10
"""Windows that are drawn before the middle of the image is taken."""


@dataclass(frozen=True)
class RandomWindow:
    """A random window of an image, resized (Inception's crop; DeiT trains on it).

    Attributes:
        size: rows and columns of the view.
        least: smallest area of the window as a share of the image's; the largest is 1.
        ratio: largest width over height, and height over width, of the window.
    """

    size: int
    least: float = 0.08
    ratio: float = 4 / 3

    def __call__(self, image: Image.Image, random: torch.Generator) -> Image.Image:
        """The view that ``random`` draws."""
        left, top, width, height = self.draw(image.width, image.height, random)
        return image.resize((self.size, self.size), Image.Resampling.BICUBIC, (left, top, left + width, top + height))

    def draw(self, width: int, height: int, random: torch.Generator) -> tuple[int, int, int, int]:
        """Left, top, width and height of a window of an image of this size, in pixels."""
        for area, bend in torch.rand(TRIES, 2, generator=random).tolist():
            wanted = width * height * (self.least + (1 - self.least) * area)
            ratio = self.ratio ** (2 * bend - 1)
            columns, rows = round(math.sqrt(wanted * ratio)), round(math.sqrt(wanted / ratio))
            if 0 < columns <= width and 0 < rows <= height:
                left = int(torch.randint(width - columns + 1, (), generator=random))
                return left, int(torch.randint(height - rows + 1, (), generator=random)), columns, rows
        return self._middle(width, height)

    def _middle(self, width: int, height: int) -> tuple[int, int, int, int]:
        columns, rows = width, height
        if width < height / self.ratio:
            rows = round(width * self.ratio)
        elif width > height * self.ratio:
            columns = round(height * self.ratio)
        return (width - columns) // 2, (height - rows) // 2, columns, rows


@dataclass(frozen=True)
class MiddleWindow:
    """The middle of an image whose shorter side is resized.

    Attributes:
        size: rows and columns of the view.
        share: of the shorter side that the view holds (timm's crop_pct: 0.875 is 224 of 256).
    """

    size: int
    share: float = 1.0

    def __call__(self, image: Image.Image, filter: Image.Resampling = Image.Resampling.BICUBIC) -> Image.Image:
        """The view; a mask takes the filter ``NEAREST``."""
        short = math.floor(self.size / self.share)
        long = int(short * max(image.size) / min(image.size))
        width, height = (short, long) if image.width <= image.height else (long, short)
        left, top = round((width - self.size) / 2), round((height - self.size) / 2)
        box = (left, top, left + self.size, top + self.size)
        if long <= LONGEST:
            return (image if image.size == (width, height) else image.resize((width, height), filter)).crop(box)
        across, down = image.width / width, image.height / height
        part = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
        return image.resize((self.size, self.size), filter, part)


@dataclass(frozen=True)
class ShiftedWindow:
    """The middle view, shifted at random within a black border (the crop of small images, CIFAR's).

    Attributes:
        middle: the view.
        border: pixels by which it is shifted at most, along either side; 0: it stays.
    """

    middle: MiddleWindow
    border: int = 4

    def __call__(self, image: Image.Image, random: torch.Generator) -> Image.Image:
        """The view that ``random`` draws."""
        left, top = (torch.randint(2 * self.border + 1, (2,), generator=random) - self.border).tolist()
        return self.middle(image).crop((left, top, left + self.middle.size, top + self.middle.size))


def pixels_of(images: list[Image.Image]) -> UInt8[Tensor, "b 3 h w"]:
    """RGB images of one size as one tensor."""
    return torch.from_numpy(np.stack([np.asarray(image) for image in images])).permute(0, 3, 1, 2)
