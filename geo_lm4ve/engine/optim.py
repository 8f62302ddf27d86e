"""Optimiser: parameter groups, learning-rate schedule, weight averaging."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import torch
from torch import nn

from geo_lm4ve.bridge import BridgeConfig
from geo_lm4ve.config import ConfigError, PartConfig, register
from geo_lm4ve.model import Model


class Schedule(Enum):
    """How the learning rate falls after the warm-up."""

    cosine = "cosine"
    linear = "linear"
    multistep = "multistep"
    constant = "constant"


@register("optim", "adamw")
@dataclass
class AdamWConfig(PartConfig):
    """AdamW with warm-up; the defaults are the paper's point-cloud recipe (Point-BERT's).

    Attributes:
        lr: base learning rate, for the batch size given here (no automatic scaling).
        weight_decay: of matrices; 1-D, bias and token parameters have none.
        betas: of AdamW.
        eps: of AdamW.
        small_lr_scale: learning rate of the 1-D, bias and token parameters as a multiple of ``lr``.
        epochs: length of training.
        warmup_epochs: linear rise from ``warmup_lr``.
        warmup_lr: learning rate at the start of the warm-up.
        min_lr: where cosine and linear schedules end.
        schedule: cosine is timm's: not shifted by the warm-up.
        per_step: move the schedule with every step instead of every epoch.
        milestones: epochs at which ``multistep`` multiplies by ``gamma``.
        gamma: see milestones.
        batch_size: samples per optimiser step over all processes and accumulated micro-batches.
        accumulate: micro-batches per step.
        clip_norm: largest gradient norm; 0: no clipping.
        ema_decay: average the weights with this decay per step and evaluate the average; 0: off.
    """

    name: str = "adamw"
    lr: float = 5e-4
    weight_decay: float = 0.05
    betas: list[float] = field(default_factory=lambda: [0.9, 0.999])
    eps: float = 1e-8
    small_lr_scale: float = 1.0
    epochs: int = 300
    warmup_epochs: float = 10.0
    warmup_lr: float = 1e-6
    min_lr: float = 1e-6
    schedule: Schedule = Schedule.cosine
    per_step: bool = False
    milestones: list[int] = field(default_factory=list)
    gamma: float = 0.1
    batch_size: int = 32
    accumulate: int = 1
    clip_norm: float = 10.0
    ema_decay: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot train."""
        for key in ("epochs", "batch_size", "accumulate"):
            if getattr(self, key) < 1:
                raise ConfigError(f"optim.{key} must be at least 1, got {getattr(self, key)}")
        if not 0 <= self.ema_decay < 1:
            raise ConfigError(f"optim.ema_decay must lie in [0, 1), got {self.ema_decay}")

    def micro_batch(self, world: int) -> int:
        """Samples per process and micro-batch; ConfigError when the batch cannot be split evenly."""
        share, rest = divmod(self.batch_size, world * self.accumulate)
        if rest or share < 1:
            raise ConfigError(
                f"optim.batch_size={self.batch_size} does not split over {world} processes x {self.accumulate} "
                "accumulated micro-batches; choose a multiple of their product"
            )
        return share


def learning_rate(config: AdamWConfig, base: float, epoch: float) -> float:
    """The learning rate of a group with base rate ``base`` at a point in time.

    Args:
        config: the schedule.
        base: the group's own base learning rate.
        epoch: epochs passed, counted from 0; fractional with ``per_step``.
    """
    if epoch < config.warmup_epochs:
        return config.warmup_lr + epoch * (base - config.warmup_lr) / config.warmup_epochs
    progress = min(epoch / config.epochs, 1.0)
    if config.schedule is Schedule.cosine:
        return config.min_lr + 0.5 * (base - config.min_lr) * (1 + math.cos(math.pi * progress))
    if config.schedule is Schedule.linear:
        return config.min_lr + (base - config.min_lr) * (1 - progress)
    if config.schedule is Schedule.multistep:
        return base * config.gamma ** sum(epoch >= milestone for milestone in config.milestones)
    return base


def is_small(name: str, parameter: nn.Parameter) -> bool:
    """True for 1-D, bias and token parameters: no weight decay (Point-BERT ``tools/builder.py``)."""
    return parameter.ndim <= 1 or name.endswith(".bias") or "token" in name


def parameter_groups(model: Model, config: AdamWConfig, bridge: BridgeConfig) -> list[dict[str, Any]]:
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
    bridge_lr = config.lr * bridge.lr_scale
    bridge_decay = config.weight_decay if bridge.weight_decay is None else bridge.weight_decay
    settings = {
        "decay": (config.lr, config.weight_decay),
        "small": (config.lr * config.small_lr_scale, 0.0),
        "bridge": (bridge_lr, bridge_decay),
        "bridge_small": (bridge_lr, 0.0),
    }
    return [
        {"name": name, "params": members[name], "base_lr": lr, "lr": lr, "weight_decay": decay}
        for name, (lr, decay) in settings.items()
        if members[name]
    ]


def build_optimizer(model: Model, config: AdamWConfig, bridge: BridgeConfig) -> torch.optim.Optimizer:
    """AdamW over the parameter groups; ConfigError when nothing is trainable."""
    groups = parameter_groups(model, config, bridge)
    if not groups:
        raise ConfigError("nothing to train: every parameter of this experiment is frozen")
    return torch.optim.AdamW(groups, betas=(config.betas[0], config.betas[1]), eps=config.eps)


def set_learning_rates(optimizer: torch.optim.Optimizer, config: AdamWConfig, epoch: float) -> float:
    """Set every group's learning rate for this point in time; returns the largest."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(config, group["base_lr"], epoch)
    return max(group["lr"] for group in optimizer.param_groups)


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
