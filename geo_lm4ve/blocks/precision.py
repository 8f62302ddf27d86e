"""In which dtype a block computes, and linear layers whose weights are stored in another one."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

LOW = (torch.bfloat16, torch.float16)
UNITS = {
    torch.bfloat16: ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16"),
    torch.float16: ("avx512_fp16", "amx_fp16", "fp16_arith"),
}
"""Names in ``torch.cpu.get_capabilities`` of the units that multiply low dtypes; the last ones of each are ARM's."""


@functools.cache
def cpu_multiplies(dtype: torch.dtype) -> bool:
    """Whether this CPU has units for bfloat16 or float16 matrices; where not, PyTorch is 10-25 times slower in them."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(unit, False) for unit in UNITS[dtype])


def autocasting(x: Tensor) -> bool:
    """Whether autocast would choose the dtype of matrix products with ``x`` (it leaves float64 alone)."""
    kind = x.device.type
    return x.dtype != torch.float64 and torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)


def compute_dtype(x: Tensor) -> torch.dtype:
    """The dtype of matrix products with ``x``: autocast's where it is on, else that of ``x``.

    A CPU without units for a low dtype computes in float32 instead: faster and more exact.
    """
    dtype = torch.get_autocast_dtype(x.device.type) if autocasting(x) else x.dtype
    return torch.float32 if x.device.type == "cpu" and dtype in LOW and not cpu_multiplies(dtype) else dtype


@contextlib.contextmanager
def residual_stream(x: Float[Tensor, "b n d"]) -> Iterator[Float[Tensor, "b n d"]]:
    """``x`` in the dtype of the residual stream, with autocast off where the CPU would only emulate its dtype.

    Under autocast the stream is float32, as the large activations of language models overflow float16 (in the
    released code the stream is float16); otherwise it has the compute dtype.
    """
    dtype = compute_dtype(x)
    if not autocasting(x):
        yield x.to(dtype)
        return
    low = dtype in LOW
    with torch.autocast(x.device.type, dtype=dtype if low else None, enabled=low):
        yield x.float()


class Scratch(threading.local):
    """One buffer per thread for converted weights: on CPUs fresh memory costs 20 times the conversion (page faults)."""

    def __init__(self) -> None:
        self.buffer = torch.empty(0, dtype=torch.uint8)

    def converted(self, weight: Tensor, dtype: torch.dtype) -> Tensor:
        """``weight`` in ``dtype``, valid until the next call in this thread."""
        if weight.device.type != "cpu" or torch.compiler.is_compiling():
            return weight.to(dtype)
        size = weight.numel() * dtype.itemsize
        if self.buffer.numel() < size:
            with torch.inference_mode(False):
                self.buffer = torch.empty(size, dtype=torch.uint8)
        return self.buffer[:size].view(dtype).view(weight.shape).copy_(weight)


scratch = Scratch()


class _FrozenMatmul(torch.autograd.Function):
    """The product x Wᵀ (or x W) for W in another dtype than x; W is kept as stored and converted again for backward."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor, transposed: bool) -> Tensor:
        """The product in the dtype of x."""
        matrix = scratch.converted(weight, x.dtype)
        return F.linear(x, matrix.T if transposed else matrix)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Only the stored weight is needed again."""
        _, weight, ctx.transposed = inputs
        ctx.save_for_backward(weight)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """The gradient to x; it is the same kind of product, so it can be differentiated again."""
        (weight,) = ctx.saved_tensors
        return _FrozenMatmul.apply(grads[0], weight, not ctx.transposed), None, None


def stored_linear(
    x: Float[Tensor, "... i"], weight: Float[Tensor, "r c"], bias: Float[Tensor, " o"] | None, transposed: bool = False
) -> Float[Tensor, "... o"]:
    """The product x Wᵀ + b (transposed: x W + b) in ``compute_dtype(x)``, whatever dtype W is stored in.

    A converted copy of a frozen weight is never kept for the backward pass; a trained one is kept, as autograd does.
    """
    x = x.to(compute_dtype(x))
    bias = None if bias is None else bias.to(x.dtype)
    if weight.requires_grad or weight.dtype == x.dtype:
        matrix = weight.to(x.dtype)
        return F.linear(x, matrix.T if transposed else matrix, bias)
    y = _FrozenMatmul.apply(x, weight, transposed)
    return y if bias is None else y + bias


class StoredLinear(nn.Linear):
    """``nn.Linear`` that computes in ``compute_dtype(x)``, whatever dtype its weight is stored in."""

    def forward(self, x: Float[Tensor, "... i"]) -> Float[Tensor, "... o"]:
        """The product x Wᵀ + b."""
        return stored_linear(x, self.weight, self.bias)


class StoredLayerNorm(nn.LayerNorm):
    """``nn.LayerNorm`` for inputs of another dtype than its weights."""

    def forward(self, x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
        """Normalised over the last dimension."""
        weight, bias = (None if p is None else p.to(x.dtype) for p in (self.weight, self.bias))
        return F.layer_norm(x, self.normalized_shape, weight, bias, self.eps)
