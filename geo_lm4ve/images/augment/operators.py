"""Pillow's operators on batches of bytes, which timm's RandAugment and torchvision's colour jitter are made of.

What an image becomes depends on its own argument alone, never on the images beside it: every operator works pixel by
pixel or counts in integers. kornia has six of them; the others are written here, as Pillow has them:

- AutoContrast: kornia's ``normalize_min_max`` makes a channel of one value black, Pillow leaves it;
- SolarizeAdd: kornia's ``solarize`` inverts what lies above the threshold after adding, timm leaves it;
- Contrast: kornia takes a mean of floats, which depends on the number of threads and images; Pillow rounds it;
- Sharpness: kornia's convolution takes far longer than sums of shifted images.

Those of kornia differ from Pillow by a level of 255 at most (Color, Brightness), the others not at all.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from geo_lm4ve.files import UserError

LEVELS = 255
SLACK = 1e-3
"""Of a level: fractions are cut to bytes as Pillow cuts them, but for what falls short of a level by rounding."""
RED, GREEN, BLUE = 19595, 38470, 7471
"""Weights of ITU-R 601-2 luma in 65,536ths (Pillow's ``convert("L")``)."""
SMOOTH = 13
"""Sum of Pillow's smoothing kernel: 5 in the middle, 1 at each of its eight neighbours."""

Operator = Callable[[UInt8[Tensor, "k 3 h w"], Float[Tensor, " k"]], UInt8[Tensor, "k 3 h w"]]


@functools.cache
def kornia_enhance() -> ModuleType:
    """Functions of colours by kornia; UserError says how to get the package."""
    try:
        import kornia.enhance
    except ImportError as error:
        raise UserError(
            "data.randaugment and data.jitter need kornia: pip install 'geo_lm4ve[images]', or leave them out"
        ) from error
    return kornia.enhance


def invert(images: UInt8[Tensor, "k 3 h w"], _: Float[Tensor, " k"]) -> UInt8[Tensor, "k 3 h w"]:
    """The negative; there is no argument."""
    return _cut(kornia_enhance().invert(images.float() / LEVELS))


def equalize(images: UInt8[Tensor, "k 3 h w"], _: Float[Tensor, " k"]) -> UInt8[Tensor, "k 3 h w"]:
    """Levels of each channel spread so that all are about as frequent; there is no argument."""
    return _cut(kornia_enhance().equalize(images.float() / LEVELS))


def posterize(images: UInt8[Tensor, "k 3 h w"], bits: Float[Tensor, " k"]) -> UInt8[Tensor, "k 3 h w"]:
    """The leading 0 to 8 bits of each level; of none of them, a black image (which Pillow 13 refuses to make)."""
    return _cut(kornia_enhance().posterize(images.float() / LEVELS, bits.long()))


def solarize(images: UInt8[Tensor, "k 3 h w"], threshold: Float[Tensor, " k"]) -> UInt8[Tensor, "k 3 h w"]:
    """The negative of levels from a threshold in [0, 256] on."""
    below = (threshold - 0.5) / LEVELS
    return _cut(kornia_enhance().solarize(images.float() / LEVELS, below))


def brightness(images: UInt8[Tensor, "k 3 h w"], factor: Float[Tensor, " k"]) -> UInt8[Tensor, "k 3 h w"]:
    """Between black (0) and the image (1), or beyond."""
    return _cut(kornia_enhance().adjust_brightness_accumulative(images.float() / LEVELS, factor))


def color(images: UInt8[Tensor, "k 3 h w"], factor: Float[Tensor, " k"]) -> UInt8[Tensor, "k 3 h w"]:
    """Between grey (0) and the image (1), or beyond."""
    return _cut(kornia_enhance().adjust_saturation_with_gray_subtraction(images.float() / LEVELS, factor))


def contrast(images: UInt8[Tensor, "k 3 h w"], factor: Float[Tensor, " k"]) -> UInt8[Tensor, "k 3 h w"]:
    """Between a grey of the image's mean luma (0) and the image (1), or beyond."""
    red, green, blue = images.long().unbind(1)
    luma = (RED * red + GREEN * green + BLUE * blue + (1 << 15)) >> 16
    mean = _rounded(luma.flatten(1).sum(1), luma[0].numel())
    return _between(mean.float()[:, None, None, None], images.float(), factor)


def sharpness(images: UInt8[Tensor, "k 3 h w"], factor: Float[Tensor, " k"]) -> UInt8[Tensor, "k 3 h w"]:
    """Between a smoothed image (0; its outermost pixels are as they were) and the image (1), or beyond."""
    levels = images.float()
    smooth = levels.clone()
    if min(images.shape[2:]) > 2:
        rows = levels[:, :, :-2] + levels[:, :, 1:-1] + levels[:, :, 2:]
        total = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:] + 4 * levels[:, :, 1:-1, 1:-1]
        smooth[:, :, 1:-1, 1:-1] = (total / SMOOTH + 0.5).floor()
    return _between(smooth, levels, factor)


def autocontrast(images: UInt8[Tensor, "k 3 h w"], _: Float[Tensor, " k"]) -> UInt8[Tensor, "k 3 h w"]:
    """Each channel stretched to all levels; one of a single level stays. There is no argument."""
    low, high = images.amin((2, 3), keepdim=True).double(), images.amax((2, 3), keepdim=True).double()
    levels = torch.arange(LEVELS + 1, dtype=torch.float64)
    scale = levels[-1] / (high - low).clamp(min=1)  # a number over a tensor would be its reciprocal, rounded, times it
    table = (levels * scale - low * scale).clamp(0, LEVELS).where(high > low, levels).byte()
    return table.flatten(2).gather(2, images.flatten(2).long()).view_as(images)


def solarize_add(images: UInt8[Tensor, "k 3 h w"], addition: Float[Tensor, " k"]) -> UInt8[Tensor, "k 3 h w"]:
    """Levels below 128 raised, to 255 at most."""
    raised = (images.short() + addition.short()[:, None, None, None]).clamp(max=LEVELS).byte()
    return torch.where(images < 128, raised, images)


def _cut(fractions: Float[Tensor, "k 3 h w"]) -> UInt8[Tensor, "k 3 h w"]:
    return (fractions * LEVELS + SLACK).clamp(0, LEVELS).byte()


def _between(none: Tensor, images: Float[Tensor, "k 3 h w"], factor: Float[Tensor, " k"]) -> UInt8[Tensor, "k 3 h w"]:
    """From ``none`` (of a shape that spreads to the images') at factor 0 to the images at 1, and beyond."""
    factor = factor[:, None, None, None]
    return (none + factor * (images - none)).clamp(0, LEVELS).byte()


def _rounded(total: Int64[Tensor, " k"], count: int) -> Int64[Tensor, " k"]:
    return (2 * total + count) // (2 * count)
