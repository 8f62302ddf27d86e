"""mmTransformer's header: one network regresses the steps of every proposal, another scores it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.parts.head import HeadConfig
from geo_lm4ve.traffic.encoders.initialisation import glorot_matrices
from geo_lm4ve.traffic.encoders.scene_tokens import AGENT_ROWS
from geo_lm4ve.traffic.heads.trajectories import AgentTrajectories, Trajectories, rank
from geo_lm4ve.traffic.heads.trajectory_head import SeenAgents, TrajectoryHead


@register("head", "mmtransformer")
@dataclass
class MmTransformerHeadConfig(HeadConfig):
    """Official class ``GeneratorWithParallelHeads626``; the number of modes is the encoder's number of proposals.

    Attributes:
        hidden: width of the last hidden layer of both networks; the regression's first one is twice as wide.
    """

    default_outputs: ClassVar[int | None] = 30
    gives: ClassVar[type | None] = Trajectories

    name: str = "mmtransformer"
    hidden: int = 128

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        if self.hidden < 1:
            raise ConfigError(f"head.hidden must be at least 1, not {self.hidden}")

    def needs(self) -> frozenset[str] | None:
        """The tokens that it decodes, and which agents they are."""
        return frozenset({"proposals", AGENT_ROWS})

    def build(self, dim: int, outputs: int) -> MmTransformerHead:
        """The head for tokens of width ``dim`` and ``outputs`` future frames; Glorot-uniform weights."""
        return MmTransformerHead(self, dim, outputs)


class MmTransformerHead(TrajectoryHead):
    """TokenSet -> Trajectories.

    Attributes:
        regression: displacement [m] of each frame from the one before.
        scores: the proposal's logit.
        unused_distance_embedding: never called, in the official code neither; here so that official checkpoints load
            and are written whole. It does not train.
    """

    reads = ("proposals",)

    def __init__(self, config: MmTransformerHeadConfig, dim: int, outputs: int):
        super().__init__(dim, outputs)
        hidden = config.hidden
        self.regression = nn.Sequential(
            nn.Linear(dim, 2 * hidden), nn.LayerNorm(2 * hidden), nn.ReLU(), nn.Linear(2 * hidden, hidden),
            nn.Linear(hidden, 2 * outputs),
        )  # fmt: skip
        self.scores = nn.Sequential(
            nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim), nn.Linear(dim, hidden), nn.Linear(hidden, 1)
        )
        self.unused_distance_embedding = nn.Linear(2, hidden).requires_grad_(False)
        glorot_matrices(self)

    def decode(self, seen: SeenAgents) -> AgentTrajectories:
        """Futures of all agents, modes by descending score."""
        steps = self.regression(seen.features).unflatten(-1, (-1, 2))
        positions = seen.positions[:, None, None] + steps.cumsum(dim=2)
        positions, logits = rank(positions, self.scores(seen.features)[..., 0])
        return AgentTrajectories(positions, logits, seen.rows)
