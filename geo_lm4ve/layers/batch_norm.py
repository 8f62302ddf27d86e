"""Batch norm over the batch of all processes, where PyTorch's own (``nn.SyncBatchNorm``) refuses: on the CPU."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class SynchronisedBatchNorm(_BatchNorm):
    """A batch norm whose training statistics are those of all processes; in eval mode, or alone, a plain one.

    Parameters, buffers and their names are those of the layer that it stands for.
    """

    @classmethod
    def of(cls, norm: _BatchNorm) -> SynchronisedBatchNorm:
        """A layer with the same parameter and buffer objects: optimisers that know them still do."""
        same = cls(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            setattr(same, name, getattr(norm, name))
        return same.train(norm.training)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"batch norm needs (N, C, ...), got {input.dim()} dimension(s)")

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) normalised over all but C; every process has to call, with an N of its own."""
        if not (self.training and dist.is_initialized() and dist.get_world_size() > 1):
            return super().forward(x)
        self._check_input_dim(x)
        count, mean, variance = _statistics(x)
        self._track(count, mean, variance)
        return cast(Tensor, _Normalise.apply(x, self.weight, self.bias, count, mean, variance, self.eps))

    @torch.no_grad()
    def _track(self, count: Tensor, mean: Tensor, variance: Tensor) -> None:
        """Running statistics as PyTorch keeps them: the variance unbiased, over the global count."""
        if not self.track_running_stats or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        momentum = self.momentum if self.momentum is not None else 1 / self.num_batches_tracked
        for running, value in ((self.running_mean, mean), (self.running_var, variance * count / (count - 1))):
            cast(Tensor, running).lerp_(value.to(cast(Tensor, running).dtype), momentum)


@torch.no_grad()
def _statistics(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Count (), mean (C,) and biased variance (C,) over all processes, at least in float32.

    Each process sends the sum of squares about its own mean, not about zero: no large numbers cancel.

    Raises:
        ValueError: one value per channel, as PyTorch does.
    """
    wide = x.to(torch.promote_types(x.dtype, torch.float32)).transpose(0, 1).flatten(1)
    variance, mean = torch.var_mean(wide, dim=1, correction=0)
    own = torch.cat([mean.new_tensor([wide.shape[1]]), mean, variance])
    parts = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, own)
    counts, means, variances = torch.stack(parts).split([1, len(mean), len(mean)], dim=1)
    count = counts.sum()
    if count < 2:
        raise ValueError(f"batch norm in training needs more than one value per channel over all processes: {x.shape}")
    share = counts / count
    mean = (share * means).sum(0)
    return count, mean, (share * (variances + (means - mean).square())).sum(0)


class _Normalise(torch.autograd.Function):
    """The affine map of given statistics, whose gradient knows that they came from the inputs of all processes."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, count: Tensor, mean: Tensor, variance: Tensor,
        eps: float,
    ) -> Tensor:  # fmt: skip
        ctx.save_for_backward(x, weight, count, mean, variance)
        ctx.eps = eps
        return F.batch_norm(x, mean, variance, weight, bias, eps=eps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """As of a map with fixed statistics, less what flows through mean and variance (Ioffe and Szegedy 2015)."""
        x, weight, count, mean, variance = ctx.saved_tensors
        scale = (variance + ctx.eps).rsqrt()
        unit = torch.ones_like(mean) if weight is None else weight
        (gradient,) = gradients
        of_x, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            gradient.contiguous(), x, unit, mean, variance, None, None, False, ctx.eps, [True, True, True]
        )
        if ctx.needs_input_grad[0]:
            sums = torch.stack([of_weight, of_bias])
            dist.all_reduce(sums)
            along, offset = -unit * scale / count * sums  # of the normalised input, and of one
            shape = (-1, *[1] * (x.dim() - 2))
            slope = along * scale
            of_x.addcmul_(x, slope.to(x.dtype).view(shape)).add_((offset - slope * mean).to(x.dtype).view(shape))
        made = zip((of_x, of_weight, of_bias), ctx.needs_input_grad)
        return (*(value if needed else None for value, needed in made), None, None, None, None)


def synchronise(model: nn.Module, device: torch.device) -> None:
    """Let every batch norm inside a model take its statistics over all processes; replaces the layers in place."""
    if device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, _BatchNorm):
                setattr(parent, name, SynchronisedBatchNorm.of(child))
