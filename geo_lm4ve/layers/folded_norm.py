"""A linear layer and the batch norm after it; in eval mode the norm is folded into the layer."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class NormedLinear(nn.Module):
    """Linear layer, without a bias unless asked for, then batch norm over all but the last axis.

    Attributes:
        linear, norm: the two.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = False):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=bias)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x: Float[Tensor, "*b i"], *, relu: bool = False) -> Float[Tensor, "*b o"]:
        """The normed outputs, with ``relu`` through a ReLU."""
        return normed(F.linear(x, *folded(self.linear, self.norm)), self.norm, relu=relu)


def folded(linear: nn.Linear, norm: _BatchNorm) -> tuple[Float[Tensor, "o i"], Float[Tensor, " o"] | None]:
    """Weight and bias of ``linear``, in eval mode with the affine map of the ``norm`` after it included."""
    if norm.training:
        return linear.weight, linear.bias
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    scale = norm.weight * (variance + norm.eps).rsqrt()
    shift = -mean if linear.bias is None else linear.bias - mean
    return linear.weight * scale[:, None], shift * scale + norm.bias


def normed(x: Float[Tensor, "*b o"], norm: _BatchNorm, *, relu: bool = False) -> Float[Tensor, "*b o"]:
    """Batch norm over all but the last axis, unless it is folded in already; ``relu`` may overwrite ``x``."""
    flat = norm(x.flatten(0, -2)) if norm.training else x
    # In place before the view: autograd copies a tensor several times that is changed through a view of it.
    return (flat.relu_() if relu else flat).view_as(x)
