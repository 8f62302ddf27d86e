"""What training changes in a batch of views, and how every batch ends: normalised by the mean of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from geo_lm4ve.images.augment.erasing import Erasing
from geo_lm4ve.images.augment.jitter import Jitter
from geo_lm4ve.images.augment.mixing import Mixing
from geo_lm4ve.images.augment.policy import RandAugment


@dataclass(frozen=True)
class Recipe:
    """How a batch is made of views, in this order; None leaves a step out.

    Attributes:
        mean: of red, green and blue in [0, 1], which is subtracted.
        std: by which they are divided.
        flip: probability that a view is mirrored left to right.
        colours: what changes the bytes of a view.
        erasing: what becomes of a normalised view.
        mixing: how normalised views are mixed with one another.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    flip: float = 0.5
    colours: RandAugment | Jitter | None = None
    erasing: Erasing | None = None
    mixing: Mixing | None = None

    @property
    def plain(self) -> Recipe:
        """What is left where several views of an image are to agree about it: mirrored or not, nothing else changed."""
        return replace(self, colours=None, erasing=None, mixing=None)

    def normalised(self, views: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """The views as they are, normalised."""
        mean, std = (torch.tensor(values)[:, None, None] for values in (self.mean, self.std))
        return views.float().div_(255).sub_(mean).div_(std)

    def shown(self, pixels: Float[Tensor, "3 h w"]) -> UInt8[np.ndarray, "h w 3"]:
        """A normalised image to look at."""
        mean, std = (torch.tensor(values)[:, None, None] for values in (self.mean, self.std))
        return ((pixels.cpu() * std + mean).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()

    def varied(self, views: UInt8[Tensor, "b 3 h w"], randoms: Sequence[torch.Generator]) -> Float[Tensor, "b 3 h w"]:
        """The views of a training batch, each as its own generator varies it, normalised."""
        mirrored = torch.cat([torch.rand(1, generator=random) for random in randoms]) < self.flip
        views = torch.where(mirrored[:, None, None, None], views.flip(-1), views)
        if self.colours is not None:
            views = self.colours(views, randoms)
        pixels = self.normalised(views)
        return pixels if self.erasing is None else self.erasing(pixels, randoms)

    def mixed(
        self, pixels: Float[Tensor, "b 3 h w"], labels: Int64[Tensor, " b"], classes: int, random: torch.Generator
    ) -> tuple[Float[Tensor, "b 3 h w"], Float[Tensor, "b c"] | None]:
        """The varied images mixed with one another, and the share of every class; None where nothing is mixed."""
        return (pixels, None) if self.mixing is None else self.mixing(pixels, labels, classes, random)
