"""What an optimiser's config is: length, batch and schedule of a training run, and the optimiser itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from geo_lm4ve.config import ConfigError, PartConfig


@dataclass
class OptimConfig(PartConfig):
    """Base of the ``optim`` group; the defaults are the paper's point-cloud recipe (Point-BERT's).

    Attributes:
        epochs: length of training.
        batch_size: samples per optimiser step over all processes and accumulated micro-batches.
        accumulate: micro-batches per step.
        clip_norm: largest gradient norm; 0: no clipping.
        clip_value: largest size of any one number of the gradient (after ``clip_norm``); 0: no clipping.
        ema_decay: average the weights with this decay per step and evaluate the average; 0: off.
        per_step: move the schedule with every step instead of every epoch.
    """

    epochs: int = 300
    batch_size: int = 32
    accumulate: int = 1
    clip_norm: float = 10.0
    clip_value: float = 0.0
    ema_decay: float = 0.0
    per_step: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot train."""
        for key in ("epochs", "batch_size", "accumulate"):
            if getattr(self, key) < 1:
                raise ConfigError(f"optim.{key} must be at least 1, got {getattr(self, key)}")
        if self.clip_value < 0:
            raise ConfigError(f"optim.clip_value must be at least 0, got {self.clip_value}")
        if not 0 <= self.ema_decay < 1:
            raise ConfigError(f"optim.ema_decay must lie in [0, 1), got {self.ema_decay}")

    @property
    def chosen(self) -> Mapping[str, str]:
        """Lines that a training run announces of it: heading -> what was chosen; {} where the config says it all."""
        return {}

    def micro_batch(self, world: int) -> int:
        """Samples per process and micro-batch; ConfigError when the batch cannot be split evenly."""
        share, rest = divmod(self.batch_size, world * self.accumulate)
        if rest or share < 1:
            raise ConfigError(
                f"optim.batch_size={self.batch_size} does not split over {world} processes x {self.accumulate} "
                "accumulated micro-batches; choose a multiple of their product"
            )
        return share

    def build(
        self, model: nn.Module, *, bridge_lr_scale: float = 1.0, bridge_weight_decay: float | None = None
    ) -> torch.optim.Optimizer:
        """The optimiser over a model's trainable parameters.

        Args:
            model: parameters below ``bridge.`` are the bridge's.
            bridge_lr_scale: learning rate of the bridge as a multiple of the others'.
            bridge_weight_decay: of the bridge; None: as the others'.

        Returns:
            An optimiser whose parameter groups carry ``base_lr``, the rate that ``learning_rate`` starts from.

        Raises:
            ConfigError: nothing is trainable.
        """
        raise NotImplementedError

    def learning_rate(self, base: float, epoch: float) -> float:
        """The learning rate of a group with base rate ``base``.

        Args:
            base: the group's own base learning rate.
            epoch: epochs passed, counted from 0; fractional with ``per_step``.
        """
        raise NotImplementedError

    def momentum(self, epoch: int) -> float | None:
        """Momentum of batch norms in an epoch, counted from 0; None: that of the layers."""
        return None
