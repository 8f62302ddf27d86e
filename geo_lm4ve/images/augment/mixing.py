"""Mixup (arXiv 1710.09412) and cutmix (1905.04899) as DeiT has them: a batch is mixed with itself reversed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float, Int64
from torch import Tensor


@dataclass(frozen=True)
class Mixing:
    """See the module (``timm/data/mixup.py``: mode ``batch``, the share corrected by what the border cuts off).

    Attributes:
        mixup: alpha of the beta distribution of a blended image's share; 0: no images are blended.
        cutmix: the same of the share that a box of the other image leaves; 0: no boxes are put in.
        probability: that a batch is mixed.
        switch: probability of cutmix where a batch could have either.
    """

    mixup: float = 0.0
    cutmix: float = 0.0
    probability: float = 1.0
    switch: float = 0.5

    def __call__(
        self, pixels: Float[Tensor, "b 3 h w"], labels: Int64[Tensor, " b"], classes: int, random: torch.Generator
    ) -> tuple[Float[Tensor, "b 3 h w"], Float[Tensor, "b c"]]:
        """The images, each with its counterpart from the batch's other end, and the share of every class."""
        kind, mixed, share = self._drawn(random), pixels, 1.0
        if kind == "cutmix":
            mixed, share = self._cut(pixels, self._share(self.cutmix, random), random)
        elif kind == "mixup":
            share = self._share(self.mixup, random)
            mixed = share * pixels + (1 - share) * pixels.flip(0)
        own = F.one_hot(labels, classes).float()
        return mixed, share * own + (1 - share) * own.flip(0)

    def _drawn(self, random: torch.Generator) -> str:
        mix, cut = (torch.rand(2, generator=random) < torch.tensor([self.probability, self.switch])).tolist()
        if not mix or not (self.mixup or self.cutmix):
            return ""
        return "cutmix" if self.cutmix and (cut or not self.mixup) else "mixup"

    def _share(self, alpha: float, random: torch.Generator) -> float:
        # RandomState: its numbers are those of every version of numpy.
        return np.random.RandomState(int(torch.randint(1 << 32, (), generator=random))).beta(alpha, alpha)

    def _cut(
        self, pixels: Float[Tensor, "b 3 h w"], share: float, random: torch.Generator
    ) -> tuple[Float[Tensor, "b 3 h w"], float]:
        (top, bottom), (left, right) = (
            _span(side, int(side * math.sqrt(1 - share)), random) for side in pixels.shape[2:]
        )
        mixed = pixels.clone()
        mixed[:, :, top:bottom, left:right] = pixels.flip(0)[:, :, top:bottom, left:right]
        return mixed, 1 - (bottom - top) * (right - left) / pixels[0, 0].numel()


def _span(side: int, length: int, random: torch.Generator) -> tuple[int, int]:
    """Where a stretch begins and ends about a random pixel of a side, as far as it lies within."""
    middle = int(torch.randint(side, (), generator=random))
    return max(middle - length // 2, 0), min(middle + length // 2, side)
