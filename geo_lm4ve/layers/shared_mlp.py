"""A multi-layer perceptron applied to every point alike: linear, batch norm, ReLU, on every layer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.layers.folded_norm import NormedLinear


class SharedMlp(nn.ModuleList):
    """``NormedLinear`` and ReLU, again and again: from ``in_dim`` channels to each of ``widths``.

    A convolution of kernel size 1 with (out, in, 1, 1) weights is such a linear layer with (out, in).
    """

    def __init__(self, in_dim: int, widths: Sequence[int]):
        if in_dim < 1 or not widths:
            raise ValueError(f"a shared MLP needs input channels and a layer, got in_dim={in_dim}, widths={widths}")
        super().__init__(NormedLinear(*sizes) for sizes in pairwise([in_dim, *widths]))

    def forward(self, x: Float[Tensor, "*b c"]) -> Float[Tensor, "*b d"]:
        """Features of every point, the channels last."""
        for layer in self:
            x = layer(x, relu=True)
        return x
