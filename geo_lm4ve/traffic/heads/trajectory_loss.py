"""The training loss of trajectory heads: only the best of K modes regresses, and the scores learn which one it was."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from geo_lm4ve.traffic.heads.trajectories import AgentTrajectories


@dataclass(frozen=True)
class TrajectoryLoss:
    """The parts of the loss, each a sum over frames and coordinates [m] or over modes, averaged over agents.

    Attributes:
        modes: smooth L1 of the best mode.
        scores: cross entropy of the scores with the best mode as the class.
        single: smooth L1 of the decoder without modes, or None if the model has none.
        agents: number of agents that had a future to learn from.
    """

    modes: Float[Tensor, ""]
    scores: Float[Tensor, ""]
    single: Float[Tensor, ""] | None
    agents: Int64[Tensor, ""]

    @property
    def total(self) -> Float[Tensor, ""]:
        """Their sum, which training minimises."""
        return self.modes + self.scores + (0.0 if self.single is None else self.single)


def trajectory_loss(
    agents: AgentTrajectories, future: Float[Tensor, "n f 2"], future_valid: Bool[Tensor, "n f"]
) -> TrajectoryLoss:
    """Winner takes all, as VectorNet's ``JointLoss`` in ziqipang/StreamingForecasting.

    The best mode is the one nearest to the agent's last known future position. Agents without any future do not
    count; a batch with none gives zero, with zero gradients for every parameter. The mmTransformer's own training was
    never released; the same loss serves there, on all agents too, because its inputs hold the futures of all.

    Args:
        agents: the outputs of a model.
        future: (N, F, 2) future positions [m] of all agents of the batch in their scene's frame.
        future_valid: (N, F) which of them are known; mask it with ``is_target`` to train on the targets alone.
    """
    future, valid = future[agents.rows].to(agents.positions.dtype), future_valid[agents.rows]
    known = valid.any(dim=1)
    best = best_modes(agents.positions.detach(), future, valid)
    chosen = agents.positions.take_along_dim(best[:, None, None, None], dim=1)[:, 0]
    wrong = F.cross_entropy(agents.logits, best, reduction="none")
    share = 1 / known.sum().clamp(min=1)
    return TrajectoryLoss(
        modes=share * _distance(chosen, future, valid),
        scores=share * torch.where(known, wrong, 0.0).sum(),
        single=None if agents.single is None else share * _distance(agents.single, future, valid),
        agents=known.sum(),
    )


def best_modes(
    positions: Float[Tensor, "a k f 2"], future: Float[Tensor, "a f 2"], valid: Bool[Tensor, "a f"]
) -> Int64[Tensor, " a"]:
    """The mode nearest to the last known future position of each agent; 0 for an agent without any."""
    frames = torch.arange(valid.shape[1], device=valid.device)
    last = torch.where(valid, frames, 0).amax(dim=1)
    ends = positions.take_along_dim(last[:, None, None, None], dim=2)[:, :, 0]
    truth = future.take_along_dim(last[:, None, None], dim=1)
    return (ends - truth).square().sum(-1).argmin(dim=1) * valid.any(dim=1)


def _distance(positions: Tensor, future: Tensor, valid: Tensor) -> Tensor:
    error = F.smooth_l1_loss(positions, future, reduction="none")
    return torch.where(valid[..., None], error, 0.0).sum()
