"""Optimiser: parameter groups, learning-rate schedule, weight averaging."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.parts.optim import OptimConfig


class Schedule(Enum):
    """How the learning rate falls after the warm-up."""

    cosine = "cosine"
    linear = "linear"
    multistep = "multistep"
    constant = "constant"


@register("optim", "adamw")
@dataclass
class AdamWConfig(OptimConfig):
    """AdamW with warm-up; the defaults are the paper's point-cloud recipe (Point-BERT's).

    Attributes:
        lr: base learning rate.
        lr_per: samples that ``lr`` is for: it grows in proportion to ``batch_size``, which counts all processes (DeiT:
            512). ``warmup_lr`` and ``min_lr`` stay, as DeiT's do. 0: ``lr`` is for the batch size given here.
        weight_decay: of matrices; 1-D, bias, token and ``position`` parameters have none.
        betas: of AdamW.
        eps: of AdamW.
        small_lr_scale: learning rate of these as a multiple of ``lr``.
        warmup_epochs: linear rise from ``warmup_lr``.
        warmup_lr: learning rate at the start of the warm-up.
        min_lr: where cosine and linear schedules end.
        schedule: cosine is timm's: not shifted by the warm-up.
        decay_epochs: epochs after which cosine and linear schedules have come to ``min_lr`` and stay there; None: all.
        milestones: epochs at which ``multistep`` multiplies by ``gamma``.
        gamma: see milestones.
    """

    name: str = "adamw"
    lr: float = 5e-4
    lr_per: int = 0
    weight_decay: float = 0.05
    betas: list[float] = field(default_factory=lambda: [0.9, 0.999])
    eps: float = 1e-8
    small_lr_scale: float = 1.0
    warmup_epochs: float = 10.0
    warmup_lr: float = 1e-6
    min_lr: float = 1e-6
    schedule: Schedule = Schedule.cosine
    decay_epochs: float | None = None
    milestones: list[int] = field(default_factory=list)
    gamma: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what cannot train."""
        super().__post_init__()
        if self.decay_epochs is not None and not self.decay_epochs > 0:
            raise ConfigError(f"optim.decay_epochs must be more than 0, got {self.decay_epochs}")
        if self.lr_per < 0:
            raise ConfigError(f"optim.lr_per must be at least 0, got {self.lr_per}")

    @property
    def rate(self) -> float:
        """The base learning rate of a batch of this size."""
        return self.lr * self.batch_size / self.lr_per if self.lr_per else self.lr

    @property
    def chosen(self) -> Mapping[str, str]:
        """See OptimConfig.chosen."""
        if not self.lr_per:
            return {}
        return {"rate": f"{self.rate:.4g} = {self.lr:g} x {self.batch_size} / {self.lr_per} (lr x batch / lr_per)"}

    def build(
        self, model: nn.Module, *, bridge_lr_scale: float = 1.0, bridge_weight_decay: float | None = None
    ) -> torch.optim.Optimizer:
        """See OptimConfig.build; the groups are those of ``parameter_groups``."""
        groups = self.groups(model, bridge_lr_scale, bridge_weight_decay)
        return torch.optim.AdamW(groups, betas=(self.betas[0], self.betas[1]), eps=self.eps)

    def groups(
        self, model: nn.Module, bridge_lr_scale: float, bridge_weight_decay: float | None
    ) -> list[dict[str, Any]]:
        """``parameter_groups``, at least one; ConfigError if nothing is trainable."""
        if not (found := parameter_groups(model, self, bridge_lr_scale, bridge_weight_decay)):
            raise ConfigError("nothing to train: every parameter of this experiment is frozen")
        return found

    def learning_rate(self, base: float, epoch: float) -> float:
        """See OptimConfig.learning_rate."""
        if epoch < self.warmup_epochs:
            return self.warmup_lr + epoch * (base - self.warmup_lr) / self.warmup_epochs
        progress = min(epoch / (self.decay_epochs or self.epochs), 1.0)
        if self.schedule is Schedule.cosine:
            return self.min_lr + 0.5 * (base - self.min_lr) * (1 + math.cos(math.pi * progress))
        if self.schedule is Schedule.linear:
            return self.min_lr + (base - self.min_lr) * (1 - progress)
        if self.schedule is Schedule.multistep:
            return base * self.gamma ** sum(epoch >= milestone for milestone in self.milestones)
        return base


def is_small(name: str, parameter: nn.Parameter) -> bool:
    """True for what has no weight decay.

    1-D, bias and token parameters (Point-BERT ``tools/builder.py``, timm), and a parameter called ``position`` (timm:
    ViT's ``pos_embed``; Point-BERT's ``cls_position`` decays there).
    """
    return parameter.ndim <= 1 or name.endswith((".bias", ".position")) or "token" in name


def parameter_groups(
    model: nn.Module, config: AdamWConfig, bridge_lr_scale: float, bridge_weight_decay: float | None
) -> list[dict[str, Any]]:
    """Trainable parameters in groups ``decay``, ``small``, ``bridge`` and ``bridge_small``; empty ones are left out.

    Each group carries ``name`` and ``base_lr``; everything inside the bridge (adapters, a trained block, LoRA) has the
    bridge's own learning rate and weight decay.
    """
    members: dict[str, list[nn.Parameter]] = {"decay": [], "small": [], "bridge": [], "bridge_small": []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            small = is_small(name, parameter)
            inside = name.startswith("bridge.")
            members[("bridge_small" if small else "bridge") if inside else ("small" if small else "decay")].append(
                parameter
            )
    bridge_lr = config.rate * bridge_lr_scale
    bridge_decay = config.weight_decay if bridge_weight_decay is None else bridge_weight_decay
    settings = {
        "decay": (config.rate, config.weight_decay),
        "small": (config.rate * config.small_lr_scale, 0.0),
        "bridge": (bridge_lr, bridge_decay),
        "bridge_small": (bridge_lr, 0.0),
    }
    return [
        {"name": name, "params": members[name], "base_lr": lr, "lr": lr, "weight_decay": decay}
        for name, (lr, decay) in settings.items()
        if members[name]
    ]


def set_learning_rates(optimizer: torch.optim.Optimizer, config: OptimConfig, epoch: float) -> float:
    """Set every group's learning rate for this point in time; returns the largest."""
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate(group["base_lr"], epoch)
    return max(group["lr"] for group in optimizer.param_groups)


def set_norm_momentum(model: nn.Module, config: OptimConfig, epoch: int) -> None:
    """Give all batch norms the momentum of this epoch, where the config says one."""
    if (momentum := config.momentum(epoch)) is not None:
        for module in model.modules():
            if isinstance(module, _BatchNorm):
                module.momentum = momentum


class WeightAverage:
    """Exponential moving average of a model's trained floating-point state.

    Attributes:
        state: key -> averaged tensor (integers and buffers that are not floats follow the model).
    """

    def __init__(self, model: nn.Module, decay: float):
        self.decay = decay
        self.state = {key: value.detach().clone() for key, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move the average towards the model's present weights."""
        for key, value in model.state_dict().items():
            if value.is_floating_point():
                self.state[key].lerp_(value, 1 - self.decay)
            else:
                self.state[key].copy_(value)
