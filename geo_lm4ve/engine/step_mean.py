"""The mean that one optimiser step descends: over all that its micro-batches hold, whichever process holds them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from geo_lm4ve.engine.session import Session
from geo_lm4ve.parts.task import Loss


class StepMean:
    """Losses and gradients of one optimiser step, weighted by what each micro-batch's mean is over (``Loss.weight``).

    Distribution and accumulation average the gradients of micro-batches as if all weighed the same. Scenes hold more or
    fewer agents: so each loss is multiplied by its agents per sample, and the gradients in the end by samples per agent
    of the whole step.

    Args:
        session: the processes.
        accumulate: micro-batches of a step in each of them.
    """

    def __init__(self, session: Session, accumulate: int):
        self.session, self.micro_batches = session, session.world * accumulate
        self.losses: list[Loss] = []
        self.samples = 0

    def add(self, loss: Loss, samples: int) -> Tensor:
        """What to differentiate for one more micro-batch of so many samples, as many as any other's."""
        self.losses.append(Loss(loss.total.detach(), loss.parts, loss.weight))
        self.samples = samples
        if loss.weight is None or self.micro_batches == 1:
            return loss.total
        return loss.total * (loss.weight / samples)

    def finish(self, parameters: Iterable[nn.Parameter]) -> dict[str, float]:
        """Scale the gradients, averaged over all micro-batches, to those of the mean, and begin another step.

        Returns:
            Loss and parts by name, this process's share of them: the sum over all processes is the step's mean.
        """
        losses, self.losses = self.losses, []
        weights = torch.tensor([1.0 if loss.weight is None else float(loss.weight) for loss in losses]).double()
        whole = self.session.sum({"weight": weights.sum()})["weight"].clamp(min=1).item()
        if losses[0].weight is not None and self.micro_batches > 1:
            gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
            torch._foreach_mul_(gradients, self.samples * self.micro_batches / whole)
        shares = (weights / whole).tolist()
        means: dict[str, float] = {}
        for loss, share in zip(losses, shares):
            for key, value in {"loss": loss.total, **loss.parts}.items():
                means[key] = means.get(key, 0.0) + share * value.item()
        return means
