"""RandAugment (arXiv 1909.13719) as timm has it (``timm/data/auto_augment.py``): operators, magnitudes and their noise.

Each image goes through operators that are drawn with replacement, each of which is passed over with probability one
half. A magnitude in [0, 10] says how much an operator does; those without an argument do the same at any.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import UInt8
from torch import Tensor

from geo_lm4ve.config import ConfigError
from geo_lm4ve.images.augment.steps import Step, taken

MOST = 10.0
"""The largest magnitude; noise beyond it is cut."""
UNIFORM = 100.0
"""A spread above this draws magnitudes evenly between 0 and the policy's."""

_TEXT = re.compile(r"rand((-(m|n)\d+|-(mstd|p)\d+(\.\d+)?|-inc1)*)")
_PART = re.compile(r"-(mstd|inc|m|n|p)([\d.]+)")

Argument = Callable[[float, float], float]
"""The argument for a share (magnitude / 10) of the whole range, and a sign."""


def _enhancement(share: float, sign: float) -> float:
    return max(0.1, 1 + sign * 0.9 * share)


GROWING: Mapping[str, Argument | None] = {
    "AutoContrast": None,
    "Equalize": None,
    "Invert": None,
    "Rotate": lambda share, sign: sign * 30 * share,
    "Posterize": lambda share, sign: 4 - int(4 * share),
    "Solarize": lambda share, sign: 256 - int(256 * share),
    "SolarizeAdd": lambda share, sign: int(110 * share),
    "Color": _enhancement,
    "Contrast": _enhancement,
    "Brightness": _enhancement,
    "Sharpness": _enhancement,
    "ShearX": lambda share, sign: sign * 0.3 * share,
    "ShearY": lambda share, sign: sign * 0.3 * share,
    "TranslateX": lambda share, sign: sign * 0.45 * share,
    "TranslateY": lambda share, sign: sign * 0.45 * share,
}
"""Operators and their arguments, all of which do more at a larger magnitude (``-inc1``)."""
ORIGINAL: Mapping[str, Argument | None] = {
    **GROWING,
    "Posterize": lambda share, sign: int(4 * share),
    "Solarize": lambda share, sign: int(256 * share),
    **dict.fromkeys(("Color", "Contrast", "Brightness", "Sharpness"), lambda share, sign: 1.8 * share + 0.1),
}
"""The same where some do less at a larger magnitude, and enhancements nothing at the middle one."""


@dataclass(frozen=True)
class RandAugment:
    """See the module; interpolation is bicubic, as DeiT has it (timm's own default is bilinear or bicubic at random).

    Attributes:
        magnitude: of every operator, in [0, 10].
        spread: standard deviation of the normal noise that is added to it (``mstd``).
        operations: operators for each image.
        probability: that one of them does anything.
        growing: all of them do more at a larger magnitude (``inc1``).
        fill: levels of red, green and blue where a moved image has no pixel.
    """

    magnitude: float = MOST
    spread: float = 0.0
    operations: int = 2
    probability: float = 0.5
    growing: bool = False
    fill: tuple[int, ...] = (128, 128, 128)

    @classmethod
    def parse(cls, text: str, mean: Sequence[float]) -> RandAugment:
        """The policy that timm's text means, e.g. ``rand-m9-mstd0.5-inc1``, for data of this mean in [0, 1].

        Raises:
            ConfigError: it is no such text, or what it says is out of range.
        """
        given = dict(_PART.findall(text)) if _TEXT.fullmatch(text) else None
        if given is None or not 0 <= int(given.get("m", 10)) <= MOST or not 0 <= float(given.get("p", 0.5)) <= 1:
            raise ConfigError(
                f"data.randaugment={text} is no policy of timm's kind: write rand-m9-mstd0.5-inc1, where m is the "
                "magnitude (0 to 10), mstd its spread, and inc1 has all operators grow with it; -n2 is the number of "
                "operators for each image, -p0.5 the probability of each"
            )
        return cls(
            magnitude=float(given.get("m", MOST)), spread=float(given.get("mstd", 0)),
            operations=int(given.get("n", 2)), probability=float(given.get("p", 0.5)), growing="inc" in given,
            fill=tuple(min(255, round(255 * level)) for level in mean),
        )  # fmt: skip

    def __call__(self, views: UInt8[Tensor, "b 3 h w"], randoms: Sequence[torch.Generator]) -> UInt8[Tensor, "b 3 h w"]:
        """Each view after what its own generator draws."""
        return taken(views, [self.plan(random) for random in randoms], self.fill)

    def plan(self, random: torch.Generator) -> list[Step | None]:
        """The operators for one image; None is one that is passed over."""
        uniform = torch.rand(self.operations, 4, generator=random).tolist()
        normal = torch.randn(self.operations, generator=random).tolist()
        return [self._step(drawn, noise) for drawn, noise in zip(uniform, normal)]

    def _step(self, drawn: Sequence[float], noise: float) -> Step | None:
        chance, choice, side, even = drawn
        if chance >= self.probability:
            return None
        arguments = GROWING if self.growing else ORIGINAL
        name = list(arguments)[int(choice * len(arguments))]
        if (argument := arguments[name]) is None:
            return Step(name)
        magnitude = even * self.magnitude if self.spread > UNIFORM else self.magnitude + noise * self.spread
        return Step(name, argument(min(max(magnitude, 0.0), MOST) / MOST, math.copysign(1, side - 0.5)))
