"""Adam with weight decay in the gradient, and a schedule of batch norms' momentum: VoteNet's recipe and its heirs'."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.engine.optim import AdamWConfig


@register("optim", "adam")
@dataclass
class AdamConfig(AdamWConfig):
    """Adam; schedules and groups as of ``adamw``.

    Attributes:
        weight_decay: added to the gradient (Adam's, not AdamW's), of all parameters.
        norm_momentum: momentum of batch norms in the first epochs; None: that of the layers (0.1).
        norm_momentum_epochs: after so many epochs it is halved, and again.
        norm_momentum_floor: it does not fall below this.
    """

    name: str = "adam"
    weight_decay: float = 1e-5
    norm_momentum: float | None = None
    norm_momentum_epochs: int = 20
    norm_momentum_floor: float = 0.001

    def __post_init__(self) -> None:
        """Refuse what cannot train."""
        super().__post_init__()
        if self.norm_momentum is not None and not 0 < self.norm_momentum_floor <= self.norm_momentum <= 1:
            raise ConfigError(
                f"0 < optim.norm_momentum_floor={self.norm_momentum_floor} <= optim.norm_momentum={self.norm_momentum} "
                "<= 1 must hold"
            )
        if self.norm_momentum_epochs < 1:
            raise ConfigError(f"optim.norm_momentum_epochs must be at least 1, got {self.norm_momentum_epochs}")

    def build(
        self, model: nn.Module, *, bridge_lr_scale: float = 1.0, bridge_weight_decay: float | None = None
    ) -> torch.optim.Optimizer:
        """See OptimConfig.build."""
        groups = self.groups(model, bridge_lr_scale, bridge_weight_decay)
        bridge = self.weight_decay if bridge_weight_decay is None else bridge_weight_decay
        for group in groups:
            group["weight_decay"] = bridge if group["name"].startswith("bridge") else self.weight_decay
        return torch.optim.Adam(groups, betas=(self.betas[0], self.betas[1]), eps=self.eps)

    def momentum(self, epoch: int) -> float | None:
        """See OptimConfig.momentum (VoteNet ``train.py``: 0.5, halved every 20 epochs, at least 0.001)."""
        if self.norm_momentum is None:
            return None
        return max(self.norm_momentum * 0.5 ** (epoch // self.norm_momentum_epochs), self.norm_momentum_floor)
