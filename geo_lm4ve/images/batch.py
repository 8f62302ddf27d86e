"""A batch of images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from geo_lm4ve.calls import InputError, described

_TAKEN = (
    "a model of images takes normalised pixels as a floating point tensor (B, 3, H, W), e.g. "
    "model(torch.randn(2, 3, 224, 224)), or an ImageBatch"
)


@dataclass(frozen=True)
class ImageBatch:
    """Images of one size with their labels.

    Attributes:
        pixels: (B, 3, H, W) red, green, blue, normalised as the data set says.
        labels: (B,) class of each image, -1 where it is not known.
        index: (B,) row of each image in its split.
        names: what each image is called, else ().
        finite: all pixels are known to be finite; False: nobody has looked yet.
        targets: (B, C) share of every class in images that were mixed for training; None: all of it is the label's.
        masks: (B, H, W) the pixels of the object, where the data has masks; None in training.
    """

    pixels: Float[Tensor, "b 3 h w"]
    labels: Int[Tensor, " b"]
    index: Int[Tensor, " b"]
    names: tuple[str, ...] = ()
    finite: bool = False
    targets: Float[Tensor, "b c"] | None = None
    masks: Bool[Tensor, "b h w"] | None = None

    def __len__(self) -> int:
        """Number of images B."""
        return len(self.pixels)

    @classmethod
    def of(cls, given: Any) -> ImageBatch:
        """What a model of images was called with as a batch: pixels (B, 3, H, W), or a batch already.

        Raises:
            InputError: it is neither; says what to pass.
        """
        if isinstance(given, cls):
            return given
        if advice := _advice(given):
            raise InputError(f"{_TAKEN}; this is {described(given)}: {advice}")
        return cls(given, torch.full((len(given),), -1), torch.arange(len(given)))

    @classmethod
    def random(cls, size: int, height: int, width: int, seed: int = 0) -> ImageBatch:
        """``size`` images of noise, of two classes."""
        pixels = torch.randn(size, 3, height, width, generator=torch.Generator().manual_seed(seed))
        return cls(pixels, torch.arange(size) % 2, torch.arange(size))

    def settled(self) -> ImageBatch:
        """The same batch after a look at its pixels; ValueError names one that is not finite."""
        if not self.finite and not self.pixels.isfinite().all():
            image, channel, row, column = (~self.pixels.isfinite()).nonzero()[0].tolist()
            raise ValueError(f"pixels[{image}, {channel}, {row}, {column}] is not finite; repair that image")
        return replace(self, finite=True)

    def to(self, device: torch.device | str) -> ImageBatch:
        """The same batch, settled, on another device."""
        pixels, labels, index = (values.to(device) for values in (self.pixels, self.labels, self.index))
        targets, masks = (None if values is None else values.to(device) for values in (self.targets, self.masks))
        return replace(self.settled(), pixels=pixels, labels=labels, index=index, targets=targets, masks=masks)


def _advice(given: Any) -> str:
    """What to write in place of what is no (B, 3, H, W) of fractions; "" for what is."""
    if isinstance(given, list | tuple) and given and all(isinstance(image, Tensor) for image in given):
        return "images of one size become one tensor by torch.stack(images)"
    if not isinstance(given, Tensor):
        return "numbers become a tensor by torch.as_tensor(pixels, dtype=torch.float32)"
    if given.dim() == 3 and given.shape[0] == 3:
        return "add the batch axis, model(pixels[None])"
    if given.dim() == 4 and given.shape[1] != 3 and given.shape[-1] == 3:
        return "colours come before rows and columns, model(pixels.permute(0, 3, 1, 2))"
    if given.dim() != 4 or given.shape[1] != 3:
        return "three colours, rows and columns of each image are needed"
    if not given.is_floating_point():
        return "bytes become fractions by pixels / 255, normalised as in training"
    return "" if len(given) else "there are no images"
