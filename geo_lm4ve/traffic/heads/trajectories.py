"""Trajectories: what every forecaster gives for a batch of traffic scenes, learned or not."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor


@dataclass(frozen=True)
class AgentTrajectories:
    """Outputs for all agents that a model decodes, ragged over the scenes of a batch: what a training loss reads.

    Attributes:
        positions: (A, K, F, 2) positions in metres in the scene's frame, modes by descending logit.
        logits: (A, K) scores before the softmax over the modes, descending.
        rows: (A,) row of each agent in ``batch.graph["agent"]``; an agent that was not seen at the last observed frame
            has no current position, hence is not decoded and does not occur.
        single: (A, F, 2) one more trajectory from a decoder that knows no modes, or None if the model has no such
            decoder.
    """

    positions: Float[Tensor, "a k f 2"]
    logits: Float[Tensor, "a k"]
    rows: Int64[Tensor, " a"]
    single: Float[Tensor, "a f 2"] | None = None


@dataclass(frozen=True)
class Trajectories:
    """K possible futures of the target agent of each of B scenes.

    Attributes:
        positions: (B, K, F, 2) positions in metres in the scene's frame, one every frame (0.1 s), modes by descending
            probability.
        probabilities: (B, K) probabilities of the modes, descending, sum 1 over K.
        single: (B, F, 2) the target's trajectory out of a decoder that knows no modes, or None.
        agents: the outputs for all agents, which training needs, or None (baselines).
    """

    positions: Float[Tensor, "b k f 2"]
    probabilities: Float[Tensor, "b k"]
    single: Float[Tensor, "b f 2"] | None = None
    agents: AgentTrajectories | None = None

    def __len__(self) -> int:
        """Number of scenes B."""
        return self.positions.shape[0]

    @property
    def modes(self) -> int:
        """Number of modes K."""
        return self.positions.shape[1]

    @property
    def steps(self) -> int:
        """Number of future frames F."""
        return self.positions.shape[2]

    @classmethod
    def ranked(cls, positions: Float[Tensor, "b k f 2"], probabilities: Float[Tensor, "b k"]) -> Trajectories:
        """Trajectories out of modes in any order; modes of equal probability keep their order."""
        positions, probabilities = rank(positions, probabilities)
        return cls(positions, probabilities)

    @classmethod
    def of_targets(cls, agents: AgentTrajectories, targets: Int64[Tensor, " b"]) -> Trajectories:
        """The targets' part of a model's outputs.

        Args:
            agents: outputs for all agents.
            targets: (B,) place of each scene's target agent among them.
        """
        single = None if agents.single is None else agents.single[targets]
        return cls(agents.positions[targets], agents.logits[targets].softmax(-1), single, agents)


def rank(
    positions: Float[Tensor, "n k f 2"], scores: Float[Tensor, "n k"]
) -> tuple[Float[Tensor, "n k f 2"], Float[Tensor, "n k"]]:
    """Modes by descending score, equal ones in their old order."""
    scores, order = scores.sort(dim=1, descending=True, stable=True)
    return positions.take_along_dim(order[:, :, None, None], dim=1), scores
