"""Operators by name, and how a batch goes through those that were drawn for each of its images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import UInt8
from torch import Tensor

from geo_lm4ve.images.augment import operators, warps
from geo_lm4ve.images.augment.operators import Operator
from geo_lm4ve.images.augment.warps import Warp

COLOURS: Mapping[str, Operator] = {
    "AutoContrast": operators.autocontrast,
    "Equalize": operators.equalize,
    "Invert": operators.invert,
    "Posterize": operators.posterize,
    "Solarize": operators.solarize,
    "SolarizeAdd": operators.solarize_add,
    "Color": operators.color,
    "Contrast": operators.contrast,
    "Brightness": operators.brightness,
    "Sharpness": operators.sharpness,
}
PLACES: Mapping[str, Warp] = {
    "Rotate": warps.rotate,
    "ShearX": warps.shear_x,
    "ShearY": warps.shear_y,
    "TranslateX": warps.translate_x,
    "TranslateY": warps.translate_y,
}


@dataclass(frozen=True)
class Step:
    """One operator for one image.

    Attributes:
        name: key of COLOURS or PLACES.
        argument: what the operator takes; 0 where it takes nothing.
    """

    name: str
    argument: float = 0.0


def taken(
    views: UInt8[Tensor, "b 3 h w"], plans: Sequence[Sequence[Step | None]], fill: Sequence[int]
) -> UInt8[Tensor, "b 3 h w"]:
    """The views after the steps of their plans, all of one length; None is a step in which nothing happens.

    ``fill`` (3 levels) is what warps put where an image has no pixel.
    """
    views = views.clone(memory_format=torch.contiguous_format)
    for steps in zip(*plans):
        groups: dict[str, list[int]] = defaultdict(list)
        for row, step in enumerate(steps):
            if step is not None:
                groups[step.name].append(row)
        for name, rows in groups.items():
            arguments = [step.argument for row in rows if (step := steps[row]) is not None]
            views[rows] = applied(name, views[rows], arguments, fill)
    return views


def applied(
    name: str, images: UInt8[Tensor, "k 3 h w"], arguments: Sequence[float], fill: Sequence[int]
) -> UInt8[Tensor, "k 3 h w"]:
    """One operator on images with an argument each."""
    if name in COLOURS:
        return COLOURS[name](images, torch.tensor(arguments, dtype=torch.float32))
    height, width = images.shape[2:]
    matrices = torch.tensor([PLACES[name](argument, width, height) for argument in arguments], dtype=torch.float32)
    return warps.warped(images, matrices, torch.tensor(fill, dtype=torch.uint8))
