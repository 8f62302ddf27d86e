"""No network at all: the target's present state as a token, and the scene itself for heads that calculate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from geo_lm4ve.config import register
from geo_lm4ve.parts.encoder import Encoder, EncoderConfig
from geo_lm4ve.tokens import TokenSet
from geo_lm4ve.traffic.batch import SceneBatch
from geo_lm4ve.traffic.sample import sample_batch

SCENE = "scene"
"""Context entry: the SceneBatch, for heads that forecast from positions and lanes instead of features."""


@register("encoder", "kinematic")
@dataclass
class KinematicEncoderConfig(EncoderConfig):
    """Encoder of the baselines that need no training; it has no parameters.

    Its one stage is ``state``: a token of the target agent (span ``agents``) with the features x, y [m] and vx, vy
    [m/s] at the last observed step.
    """

    takes: ClassVar[type | None] = SceneBatch
    offers: ClassVar[frozenset[str] | None] = frozenset({"agents", SCENE})
    default_head: ClassVar[str] = "constant_velocity"

    name: str = "kinematic"

    def build(self) -> KinematicEncoder:
        """The encoder."""
        return KinematicEncoder()

    def sample_batch(self, size: int = 2, seed: int = 0) -> SceneBatch:
        """Scenes of different sizes."""
        return sample_batch(size, seed)


class KinematicEncoder(Encoder):
    """See KinematicEncoderConfig."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleDict({"state": State()})
        self.dims = {"state": 4}

    def taken(self, given: Any) -> SceneBatch:
        """A SceneBatch, or a list of them."""
        return SceneBatch.of(given)


class State(nn.Module):
    """Batch -> one token per scene, with the scene in the context."""

    def forward(self, batch: SceneBatch) -> TokenSet:
        """The targets' states."""
        agents = batch.graph["agent"]
        now = agents.history[batch.targets, -1]
        features = torch.cat([now, agents.velocity[batch.targets].to(now)], dim=1)[:, None]
        return TokenSet.full(features, {"agents": (0, 1)}, positions=now[:, None], context={SCENE: batch})
