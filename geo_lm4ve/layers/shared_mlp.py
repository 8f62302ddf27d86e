"""A multi-layer perceptron applied to every point alike: linear, batch norm, ReLU, on every layer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn


def folded(linear: nn.Linear, norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor | None]:
    """Weight and bias of ``linear``; in eval mode those that do the affine map of ``norm`` as well."""
    if norm.training:
        return linear.weight, linear.bias
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    scale = norm.weight * (variance + norm.eps).rsqrt()
    bias = -mean if linear.bias is None else linear.bias - mean
    return linear.weight * scale[:, None], bias * scale + norm.bias


class SharedLayer(nn.Module):
    """Linear without bias, batch norm over all points of all clouds, ReLU.

    A convolution of kernel size 1 with (out, in, 1, 1) weights is this linear layer with (out, in).
    """

    def __init__(self, in_dim: int, out_dim: int):
        super().__init__()
        self.linear = nn.Linear(in_dim, out_dim, bias=False)
        self.norm = nn.BatchNorm1d(out_dim)

    def forward(self, x: Float[Tensor, "*b c"]) -> Float[Tensor, "*b d"]:
        """Features of every point, the channels last."""
        x = F.linear(x, *folded(self.linear, self.norm))
        if self.norm.training:
            x = self.norm(x.flatten(0, -2)).view_as(x)
        return torch.relu_(x)


class SharedMlp(nn.Sequential):
    """``SharedLayer`` after ``SharedLayer``: from ``in_dim`` channels to each of ``widths``."""

    def __init__(self, in_dim: int, widths: Sequence[int]):
        if in_dim < 1 or not widths:
            raise ValueError(f"a shared MLP needs input channels and a layer, got in_dim={in_dim}, widths={widths}")
        super().__init__(*(SharedLayer(*sizes) for sizes in pairwise([in_dim, *widths])))
