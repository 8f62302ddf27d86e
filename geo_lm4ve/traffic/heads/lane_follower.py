"""A baseline that knows the map: follow the nearest lanes of the right direction, and their successors."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.traffic.batch import SceneBatch
from geo_lm4ve.traffic.heads.kinematic import (
    STEP_S,
    KinematicHead,
    KinematicHeadConfig,
    last_steps,
    straight,
    target_history,
)
from geo_lm4ve.traffic.heads.lane_paths import LaneGraph, paths, project, walk
from geo_lm4ve.traffic.heads.trajectories import Trajectories

SAME_END_M = 1.0
"""Two futures that end closer together than this are one."""


@register("head", "lane_follower")
@dataclass
class LaneFollowerConfig(KinematicHeadConfig):
    """The target keeps its speed along the lanes near by.

    Every lane within ``reach`` whose direction differs by less than ``max_angle`` is a start, weighted by a Gaussian of
    distance and angle (reach and max_angle are two standard deviations). From each start all paths through successors
    are followed, each branch with an equal share; the distance to the centreline fades over ``settle`` metres. Each
    path is driven at ``speeds`` times the present speed, with ``speed_weights``. The K most likely futures remain, with
    probabilities in proportion; if there are fewer, the constant velocity forecast fills up with probability 0. A
    target without such a lane goes on at constant velocity.

    Attributes:
        modes: futures K.
        window: steps over which the present velocity is measured.
        reach: [m].
        max_angle: [degrees]; a target slower than 1 m/s has no direction, and then lanes of all directions count.
        settle: [m] driven.
        speeds, speed_weights: alternatives of the speed, and their weights.
    """

    name: str = "lane_follower"
    modes: int = 6
    window: int = 10
    reach: float = 4.0
    max_angle: float = 60.0
    settle: float = 25.0
    speeds: list[float] = field(default_factory=lambda: [1.0, 0.7, 1.3])
    speed_weights: list[float] = field(default_factory=lambda: [0.5, 0.25, 0.25])

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        if self.modes < 1 or self.window < 1 or min(self.reach, self.max_angle, self.settle) <= 0:
            raise ConfigError(
                f"head.modes={self.modes} and head.window={self.window} must be at least 1, head.reach={self.reach}, "
                f"head.max_angle={self.max_angle} and head.settle={self.settle} above 0"
            )
        if not self.speeds or len(self.speeds) != len(self.speed_weights) or min(self.speed_weights) <= 0:
            raise ConfigError("head.speeds needs at least one value, and head.speed_weights a positive one for each")

    def build(self, dim: int, outputs: int) -> LaneFollower:
        """The head for ``outputs`` future frames."""
        return LaneFollower(self, outputs)


class LaneFollower(KinematicHead):
    """See LaneFollowerConfig."""

    def __init__(self, config: LaneFollowerConfig, steps: int):
        super().__init__(steps)
        self.config = config

    def forecast(self, scene: SceneBatch) -> Trajectories:
        """K futures per scene."""
        history = target_history(scene)
        now, step = history[:, -1], last_steps(history, self.config.window)
        fallback = straight(now, step, self.steps)
        futures = [
            self._futures(LaneGraph.of(scene, row), now[row].cpu().double().numpy(), step[row].cpu().double().numpy())
            for row in range(len(scene))
        ]
        positions = fallback[:, None].repeat(1, self.config.modes, 1, 1)
        probabilities = positions.new_zeros(len(scene), self.config.modes)
        for row, (tracks, weights) in enumerate(futures):
            positions[row, : len(tracks)] = torch.from_numpy(tracks).to(positions)
            probabilities[row, : len(weights)] = torch.from_numpy(weights).to(positions)
        probabilities[probabilities.sum(1) == 0, 0] = 1.0
        return Trajectories.ranked(positions, probabilities)

    def _futures(
        self, graph: LaneGraph, now: np.ndarray, step: np.ndarray
    ) -> tuple[Float[np.ndarray, "k f 2"], Float[np.ndarray, " k"]]:
        """The most likely futures of one scene and their probabilities (sum 1); empty where no lane fits."""
        found: list[tuple[np.ndarray, float]] = []
        pace = float(np.linalg.norm(step))
        time = np.arange(1, self.steps + 1)
        for lane, weight, along, offset in self._starts(graph, now, step):
            for path, share in paths(graph, lane, along + pace * max(self.config.speeds) * self.steps):
                for speed, likely in zip(self.config.speeds, self.config.speed_weights):
                    driven = pace * speed * time
                    fading = np.clip(1 - driven / self.config.settle, 0, 1)[:, None]
                    track = walk(graph, path, along + driven) + offset * fading
                    _add(found, track, weight * share * likely)
        found.sort(key=lambda future: -future[1])
        found = found[: self.config.modes]
        weights = np.array([weight for _, weight in found])
        tracks = np.array([track for track, _ in found]).reshape(-1, self.steps, 2)
        return tracks, weights / weights.sum() if len(weights) else weights

    def _starts(
        self, graph: LaneGraph, now: np.ndarray, step: np.ndarray
    ) -> list[tuple[int, float, float, np.ndarray]]:
        """Lanes the target may be on: lane, weight, distance along it, offset from it."""
        if not graph.lanes:
            return []
        feet = project(now, graph.lanes)
        angle = np.zeros(len(graph.lanes))
        if np.linalg.norm(step) >= STEP_S:
            turn = feet.direction - np.arctan2(step[1], step[0])
            angle = np.abs(np.degrees(np.arctan2(np.sin(turn), np.cos(turn))))
        fits = (feet.distance <= self.config.reach) & (angle <= self.config.max_angle)
        weight = np.exp(-2 * (feet.distance / self.config.reach) ** 2 - 2 * (angle / self.config.max_angle) ** 2)
        lanes = [int(lane) for lane in fits.nonzero()[0]]
        return [(lane, float(weight[lane]), float(feet.along[lane]), now - feet.foot[lane]) for lane in lanes]


def _add(found: list[tuple[np.ndarray, float]], track: np.ndarray, weight: float) -> None:
    """Add a future, or its weight to one that ends in the same place."""
    for place, (known, sum_so_far) in enumerate(found):
        if np.linalg.norm(known[-1] - track[-1]) < SAME_END_M:
            found[place] = (known if sum_so_far >= weight else track, sum_so_far + weight)
            return
    found.append((track, weight))
