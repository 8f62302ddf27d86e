"""VectorNet's decoder: K heads regress K futures of each agent, and one network scores where they end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.parts.head import HeadConfig
from geo_lm4ve.traffic.encoders.initialisation import glorot_matrices, zero_biases
from geo_lm4ve.traffic.encoders.scene_tokens import AGENT_ROWS
from geo_lm4ve.traffic.heads.trajectories import AgentTrajectories, Trajectories, rank
from geo_lm4ve.traffic.heads.trajectory_head import SeenAgents, TrajectoryHead


@register("head", "vectornet")
@dataclass
class VectorNetHeadConfig(HeadConfig):
    """LaneGCN's decoder as in ziqipang/StreamingForecasting: for all agents, with the target's part as the forecast.

    Attributes:
        modes: futures K per agent.
    """

    default_outputs: ClassVar[int | None] = 30
    gives: ClassVar[type | None] = Trajectories

    name: str = "vectornet"
    modes: int = 6

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        if self.modes < 1:
            raise ConfigError(f"head.modes must be at least 1, not {self.modes}")

    def needs(self) -> frozenset[str] | None:
        """The tokens that it decodes, and which agents they are."""
        return frozenset({"agents", AGENT_ROWS})

    def build(self, dim: int, outputs: int) -> VectorNetHead:
        """The head for tokens of width ``dim`` and ``outputs`` future frames; Glorot weights and zero biases."""
        return VectorNetHead(self, dim, outputs)


class ResidualLayer(nn.Module):
    """ReLU(x + norm(linear(ReLU(norm(linear(x)))))).

    LayerNorm over a row is what the original's GroupNorm with one group computes.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Linear(dim, dim, bias=False), nn.LayerNorm(dim), nn.ReLU(), nn.Linear(dim, dim, bias=False),
            nn.LayerNorm(dim),
        )  # fmt: skip

    def forward(self, x: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
        """The transformed features."""
        return torch.relu(x + self.branch(x))


class ModeScores(nn.Module):
    """A score for each mode, out of the agent's token and of where the mode ends.

    Attributes:
        end: embeds the displacement from the mode's end back to the agent.
        fusion: mixes it with the token.
        classifier: gives the score.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.end = nn.Sequential(
            nn.Linear(2, dim), nn.ReLU(), nn.Linear(dim, dim, bias=False), nn.LayerNorm(dim), nn.ReLU()
        )
        self.fusion = nn.Sequential(nn.Linear(2 * dim, dim, bias=False), nn.LayerNorm(dim), nn.ReLU())
        self.classifier = nn.Sequential(ResidualLayer(dim), nn.Linear(dim, 1))

    def forward(self, agents: Float[Tensor, "a d"], ends: Float[Tensor, "a k 2"]) -> Float[Tensor, "a k"]:
        """Logits of the modes that end at ``ends`` [m], relative to the agent; no gradient flows into the ends."""
        embedded = self.end(-ends.detach())
        pairs = torch.cat([embedded, agents[:, None].expand_as(embedded)], dim=-1)
        return self.classifier(self.fusion(pairs))[..., 0]


class VectorNetHead(TrajectoryHead):
    """TokenSet -> Trajectories.

    Attributes:
        modes: one regression network per mode, giving positions relative to the agent's last one.
        single: one more, trained on every agent's future whichever mode is best: the best guess when K = 1.
        scores: the modes' logits.
    """

    reads = ("agents",)

    def __init__(self, config: VectorNetHeadConfig, dim: int, outputs: int):
        super().__init__(dim, outputs)
        self.modes = nn.ModuleList(_regression(dim, outputs) for _ in range(config.modes))
        self.single = _regression(dim, outputs)
        self.scores = ModeScores(dim)
        glorot_matrices(self)
        zero_biases(self)

    def decode(self, seen: SeenAgents) -> AgentTrajectories:
        """Futures of all agents, modes by descending score."""
        features, here = seen.features[:, 0], seen.positions[:, None]
        offsets = torch.stack([mode(features).unflatten(-1, (-1, 2)) for mode in self.modes], dim=1)
        offsets, logits = rank(offsets, self.scores(features, offsets[:, :, -1]))
        single = here + self.single(features).unflatten(-1, (-1, 2))
        return AgentTrajectories(here[:, None] + offsets, logits, seen.rows, single)


def _regression(dim: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(ResidualLayer(dim), nn.Linear(dim, 2 * outputs))
