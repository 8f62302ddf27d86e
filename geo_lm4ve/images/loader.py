"""How batches are made of the images of a split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from PIL import Image
from torch import Tensor

from geo_lm4ve.data.loaders import Draw
from geo_lm4ve.data.random import generator
from geo_lm4ve.images.batch import ImageBatch
from geo_lm4ve.images.pictures import Pictures
from geo_lm4ve.images.recipe import Recipe
from geo_lm4ve.images.views import MiddleWindow, pixels_of

ORDER, ITEM, MIX, VIEW = range(4)  # what random numbers are for; a key of their generators

HALF = 127
"""A pixel of a mask above this belongs to the object."""

Window = Callable[[Image.Image, torch.Generator], Image.Image]


@dataclass(frozen=True)
class ImageSplit:
    """The images of one split as Samples (``data/loaders.py``).

    Attributes:
        pictures: the images.
        classes: how many the data set has.
        window: what training sees of an image.
        middle: what evaluation sees of it.
        recipe: what training changes, and how a batch ends.
        repeats: times that an epoch of training shows each of the images that it shows, in views of their own (repeated
            augmentation); it shows as many images as the split has, all together.
        view: (seed, v) of the augmented view that a batch for evaluation shows; None: the plain one.
    """

    pictures: Pictures
    classes: int
    window: Window
    middle: MiddleWindow
    recipe: Recipe
    repeats: int = 1
    view: tuple[int, int] | None = None

    noun: ClassVar[str] = "images"

    def __len__(self) -> int:
        """Number of images."""
        return len(self.pictures)

    def order(self, seed: int, epoch: int) -> Int64[Tensor, " n"]:
        """The images of an epoch in random order, repetitions of one behind one another."""
        drawn = torch.randperm(len(self), generator=generator(seed, epoch, ORDER))
        return drawn.repeat_interleave(self.repeats)[: len(self)]

    def train_batch(self, rows: Int64[Tensor, " b"], draw: Draw) -> ImageBatch:
        """Images, each varied by random numbers of its place in the global batch, mixed within this process's share."""
        places = range(draw.share.start, draw.share.stop)
        keys = [(draw.seed, draw.epoch, ITEM, draw.number, place) for place in places]
        pixels = self._varied(rows, keys)
        labels = self.pictures.labels[rows]
        random = generator(draw.seed, draw.epoch, MIX, draw.number, draw.share.start)
        pixels, targets = self.recipe.mixed(pixels, labels, self.classes, random)
        return ImageBatch(pixels, labels, rows, targets=targets)

    def batch(self, rows: Int64[Tensor, " b"]) -> ImageBatch:
        """The middle of every image, or the augmented view, with its mask where there are masks."""
        labels, numbers = self.pictures.labels[rows], rows.tolist()
        names = tuple(map(self.pictures.name, numbers))
        if self.view is not None:
            return ImageBatch(self._varied(rows, [(*self.view, VIEW, row) for row in numbers]), labels, rows, names)
        views = pixels_of([self.middle(self.pictures.image(row)) for row in numbers])
        return ImageBatch(self.recipe.normalised(views), labels, rows, names, masks=self._masks(numbers))

    def augmented(self, seed: int, view: int) -> ImageSplit:
        """A random window of every image, mirrored or not, by random numbers of this view; no pixel is changed."""
        return replace(self, view=(seed, view), recipe=self.recipe.plain)

    def _varied(self, rows: Int64[Tensor, " b"], keys: Sequence[tuple[int, ...]]) -> Float[Tensor, "b 3 h w"]:
        generators = [generator(*one) for one in keys]
        views = [self.window(self.pictures.image(row), random) for row, random in zip(rows.tolist(), generators)]
        return self.recipe.varied(pixels_of(views), generators)

    def _masks(self, rows: list[int]) -> Bool[Tensor, "b h w"] | None:
        masks = [self.pictures.mask(row) for row in rows]
        seen = [np.asarray(self.middle(mask, Image.Resampling.NEAREST)) for mask in masks if mask is not None]
        return torch.from_numpy(np.stack(seen) > HALF) if len(seen) == len(rows) else None
