"""How pixels become the features of patches: one linear map of each patch, or convolutions over all."""

from __future__ import annotations

from enum import Enum

from torch import nn

from geo_lm4ve.config import ConfigError

Stem = Enum("Stem", ["patch", "conv"])
"""``patch``: a linear map of each patch (ViT). ``conv``: 3 x 3 convolutions of stride 2 with batch norm and ReLU, so
many that one place per patch is left, each twice as wide as the one before, then a linear map (Xiao et al., "Early
convolutions help transformers see better", NeurIPS 2021): learns from fewer images."""


def make_stem(stem: Stem, dim: int, patch: int) -> nn.Module:
    """Images (B, 3, H, W) -> (B, dim, H / patch, W / patch).

    Raises:
        ConfigError: convolutions that halve an image do not come to this patch, or leave no channels at this width.
    """
    if stem is Stem.patch:
        return nn.Conv2d(3, dim, patch, patch)
    steps = patch.bit_length() - 1
    if patch != 1 << steps or steps < 1 or dim >> (steps - 1) < 1:
        raise ConfigError(
            f"encoder.stem=conv halves an image until a place is a patch: encoder.patch={patch} must be 2, 4, 8, 16, … "
            f"and encoder.dim={dim} at least half of it"
        )
    layers: list[nn.Module] = []
    before = 3
    for step in reversed(range(steps)):
        layers += [nn.Conv2d(before, dim >> step, 3, 2, 1, bias=False), nn.BatchNorm2d(dim >> step), nn.ReLU()]
        before = dim >> step
    return nn.Sequential(*layers, nn.Conv2d(dim, dim, 1))
