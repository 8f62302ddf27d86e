"""What the heads of forecasters share: which of a scene's padded tokens are agents to decode, and in what precision."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from geo_lm4ve.config import ConfigError
from geo_lm4ve.parts.head import Head
from geo_lm4ve.tokens import TokenSet, true_places
from geo_lm4ve.traffic.encoders.scene_tokens import AGENT_ROWS, AGENTS_SEEN
from geo_lm4ve.traffic.heads.trajectories import AgentTrajectories, Trajectories


@dataclass(frozen=True)
class SeenAgents:
    """The agents of a batch that a head decodes, ragged over the scenes.

    Attributes:
        features: (A, M, D) tokens of each agent: M = 1, or one per proposal.
        positions: (A, 2) last observed positions [m] in the scene's frame.
        rows: (A,) their rows in ``batch.graph["agent"]``.
        targets: (B,) place of each scene's target among them.
    """

    features: Float[Tensor, "a m d"]
    positions: Float[Tensor, "a 2"]
    rows: Int64[Tensor, " a"]
    targets: Int64[Tensor, " b"]

    @classmethod
    def of(cls, tokens: TokenSet, span: str, dtype: torch.dtype) -> SeenAgents:
        """The agents behind the tokens of ``span``, as many consecutive tokens for each, in the given precision.

        Raises:
            ConfigError: the encoder does not say whose tokens they are.
        """
        if AGENT_ROWS not in tokens.context or tokens.positions is None:
            raise ConfigError(
                f"this head decodes the agents behind the span {span!r}, but the encoder does not say which agents "
                "these are; choose the head that is named like the encoder"
            )
        rows, piece = tokens.context[AGENT_ROWS], tokens.span(span)
        seen, slots = rows >= 0, (rows.shape[1], -1)
        count = tokens.context.get(AGENTS_SEEN)
        places = true_places(seen, int(seen.sum()) if count is None else count)
        return cls(
            features=tokens.features[:, piece].unflatten(1, slots)[places].to(dtype),
            positions=tokens.positions[:, piece].unflatten(1, slots)[:, :, 0][places].to(dtype),
            rows=rows[places],
            targets=seen.sum(1).cumsum(0) - seen.sum(1),
        )


class TrajectoryHead(Head):
    """TokenSet -> Trajectories, through the futures of all agents behind the one span that the head reads."""

    norm_first = False

    def __init__(self, dim: int, outputs: int):
        super().__init__()
        if dim < 1 or outputs < 1:
            raise ConfigError(f"a trajectory head needs width and future frames of at least 1, not {dim}, {outputs}")
        self.dim = dim

    def forward(self, tokens: TokenSet) -> Trajectories:
        """Futures of the targets, with those of all agents for the loss.

        Mixed precision pauses here: with 8 bits, positions 65 m away would be a quarter of a metre coarse.

        Raises:
            ConfigError: the encoder makes no tokens that the head could read.
        """
        with torch.autocast(tokens.features.device.type, enabled=False):
            seen = SeenAgents.of(tokens, self.reads[0], next(self.parameters()).dtype)
            return Trajectories.of_targets(self.decode(seen), seen.targets)

    def decode(self, seen: SeenAgents) -> AgentTrajectories:
        """Futures of all agents, modes by descending score."""
        raise NotImplementedError
