"""Mini-PointNet: one token from the points of a group (official class ``Encoder``, Point-BERT models/dvae.py)."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.layers.folded_norm import folded, normed


class MiniPointNet(nn.Module):
    """Shared MLP on points, maximum over the group, shared MLP on (group feature, point feature), maximum.

    The published form repeats the group feature g for every point feature f and multiplies W [g; f]. Here
    W = [W_g | W_f] is applied as W_g g, once per group, plus W_f f: the same function with fewer products. In eval
    mode the batch norms are folded into the layer before them. Neither changes the parameters.

    Args:
        out_dim: width of a token.
        width: of the first layer.
        channels: numbers per point: coordinates, and features if there are any.
    """

    def __init__(self, out_dim: int, width: int = 128, channels: int = 3):
        super().__init__()
        self.lift = nn.Linear(channels, width)
        self.lift_norm = nn.BatchNorm1d(width)
        self.local = nn.Linear(width, 2 * width)
        self.joint = nn.Linear(4 * width, 4 * width)
        self.joint_norm = nn.BatchNorm1d(4 * width)
        self.out = nn.Linear(4 * width, out_dim)

    def forward(self, groups: Float[Tensor, "b g m c"]) -> Float[Tensor, "b g d"]:
        """A token per group of ``m`` points; the order of the points does not matter."""
        # In place where autograd allows it: memory traffic of (b, g, m, 4 width) tensors is what this network costs.
        weight, bias = folded(self.lift, self.lift_norm)
        lifted = normed(F.linear(groups, weight, bias), self.lift_norm, relu=True)
        local = self.local(lifted)
        weight, bias = folded(self.joint, self.joint_norm)
        for_group, for_point = weight.chunk(2, dim=1)
        of_group = F.linear(local.amax(dim=2, keepdim=True), for_group, bias)
        of_point = F.linear(local, for_point)
        joint = normed(of_point.add_(of_group), self.joint_norm, relu=True)
        return self.out(joint).amax(dim=2)
