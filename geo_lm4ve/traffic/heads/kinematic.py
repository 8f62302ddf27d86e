"""Baselines that everybody expects beside a learned forecaster: constant velocity and constant turn rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.parts.head import Head, HeadConfig
from geo_lm4ve.tokens import TokenSet
from geo_lm4ve.traffic.batch import HZ, SceneBatch
from geo_lm4ve.traffic.encoders.kinematic import SCENE
from geo_lm4ve.traffic.heads.trajectories import Trajectories

STEP_S = 1 / HZ
"""Seconds between frames of both Argoverse data sets."""


@dataclass
class KinematicHeadConfig(HeadConfig):
    """Base of the configs of heads that read the scene itself."""

    default_outputs: ClassVar[int | None] = 30
    gives: ClassVar[type | None] = Trajectories

    def needs(self) -> frozenset[str] | None:
        """The target's token, and the scene."""
        return frozenset({"agents", SCENE})


class KinematicHead(Head):
    """A head that reads the scene itself; any block before it changes nothing.

    Args:
        steps: future frames F.
    """

    reads = ("agents",)
    norm_first = False

    def __init__(self, steps: int):
        super().__init__()
        self.steps = steps

    def forward(self, tokens: TokenSet) -> Trajectories:
        """Futures of the targets.

        Raises:
            ConfigError: the encoder does not hand on the scene.
        """
        scene = tokens.context.get(SCENE)
        if not isinstance(scene, SceneBatch):
            raise ConfigError("this head forecasts from the scene itself: choose encoder=kinematic")
        return self.forecast(scene)

    def forecast(self, scene: SceneBatch) -> Trajectories:
        """Futures of the targets of a batch of scenes."""
        raise NotImplementedError

    def one_mode(self, positions: Float[Tensor, "b f 2"]) -> Trajectories:
        """A single future with probability 1."""
        return Trajectories(positions[:, None], positions.new_ones(len(positions), 1))


@register("head", "constant_velocity")
@dataclass
class ConstantVelocityConfig(KinematicHeadConfig):
    """The target goes on as it last moved.

    Attributes:
        window: steps over which the velocity is measured; 1: the last displacement.
        recorded: take the velocity that the data set gives instead (Argoverse 2's velocity columns).
    """

    name: str = "constant_velocity"
    window: int = 1
    recorded: bool = False

    def __post_init__(self) -> None:
        """Check the window; raises ConfigError."""
        if self.window < 1:
            raise ConfigError(f"head.window must be at least 1 step, not {self.window}")

    def build(self, dim: int, outputs: int) -> ConstantVelocity:
        """The head for ``outputs`` future frames."""
        return ConstantVelocity(self, outputs)


class ConstantVelocity(KinematicHead):
    """See ConstantVelocityConfig."""

    def __init__(self, config: ConstantVelocityConfig, steps: int):
        super().__init__(steps)
        self.config = config

    def forecast(self, scene: SceneBatch) -> Trajectories:
        """One straight line per scene."""
        history = target_history(scene)
        step = last_steps(history, self.config.window)
        if self.config.recorded:
            step = scene.graph["agent"].velocity[scene.targets].to(history) * STEP_S
        return self.one_mode(straight(history[:, -1], step, self.steps))


@register("head", "constant_turn_rate")
@dataclass
class ConstantTurnRateConfig(KinematicHeadConfig):
    """The target keeps its speed and goes on turning as it did (constant turn rate and velocity, CTRV).

    Attributes:
        window: steps of each of the two successive stretches whose directions give the turn rate.
        min_move: a stretch shorter than this [m] has no direction; the target then goes straight.
        max_rate: limit of the turn rate [rad/s].
    """

    name: str = "constant_turn_rate"
    window: int = 9
    min_move: float = 1.0
    max_rate: float = 0.6

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        if self.window < 1 or self.min_move <= 0 or self.max_rate < 0:
            raise ConfigError(
                f"head.window={self.window} must be at least 1, head.min_move={self.min_move} above 0 and "
                f"head.max_rate={self.max_rate} not negative"
            )

    def build(self, dim: int, outputs: int) -> ConstantTurnRate:
        """The head for ``outputs`` future frames."""
        return ConstantTurnRate(self, outputs)


class ConstantTurnRate(KinematicHead):
    """See ConstantTurnRateConfig."""

    def __init__(self, config: ConstantTurnRateConfig, steps: int):
        super().__init__(steps)
        self.config = config

    def forecast(self, scene: SceneBatch) -> Trajectories:
        """One arc per scene."""
        history = target_history(scene)
        window = min(self.config.window, (history.shape[1] - 1) // 2)
        late, early = last_steps(history, window), last_steps(history[:, : history.shape[1] - window], window)
        turn = self._turn_per_step(early, late, window)
        heading = torch.atan2(late[:, 1], late[:, 0]) + turn * window / 2
        angles = heading[:, None] + turn[:, None] * (torch.arange(self.steps).to(history) + 0.5)
        stretch = half_sinc(turn) / half_sinc(turn * window)  # the measured chord is shorter than the arc
        steps = (late.norm(dim=1) * stretch)[:, None, None] * torch.stack([angles.cos(), angles.sin()], dim=-1)
        return self.one_mode(history[:, -1:] + steps.cumsum(1))

    def _turn_per_step(self, early: Tensor, late: Tensor, window: int) -> Float[Tensor, " b"]:
        """Radians per step between the middles of the two stretches."""
        cross = early[:, 0] * late[:, 1] - early[:, 1] * late[:, 0]
        angle = torch.atan2(cross, (early * late).sum(1))
        moved = torch.minimum(early.norm(dim=1), late.norm(dim=1)) * window
        limit = self.config.max_rate * STEP_S
        return torch.where(moved < self.config.min_move, 0.0, angle / window).clamp(-limit, limit)


def half_sinc(angle: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
    """Chord over arc of an angle in radians: sin(angle / 2) / (angle / 2)."""
    return torch.sinc(angle / (2 * torch.pi))


def target_history(scene: SceneBatch) -> Float[Tensor, "b t 2"]:
    """Observed positions [m] of the targets; all of them are valid by the data sets' rules."""
    return scene.graph["agent"].history[scene.targets]


def last_steps(history: Float[Tensor, "b t 2"], window: int) -> Float[Tensor, "b 2"]:
    """Mean displacement [m] per step over the last ``window`` steps (fewer where the history is shorter)."""
    window = min(window, history.shape[1] - 1)
    return (history[:, -1] - history[:, -1 - window]) / window


def straight(now: Float[Tensor, "b 2"], step: Float[Tensor, "b 2"], steps: int) -> Float[Tensor, "b f 2"]:
    """Positions after 1..F equal steps."""
    return now[:, None] + step[:, None] * torch.arange(1, steps + 1).to(now)[:, None]
