"""Properties to assert about blocks, stages and models, and fixtures that need no download. For your own tests too."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeCopyMode,
    FakeTensorMode,
)

from geo_lm4ve.blocks.base import Block
from geo_lm4ve.blocks.precision import compute_dtype
from geo_lm4ve.model import Model
from geo_lm4ve.tokens import TokenSet

_U32 = 0xFFFFFFFF

# What two right computations of one thing may differ by depends on the machine: its vector width, its threads and its
# units for low precision decide in which order a sum is taken and where it is rounded. So bounds are counted in
# roundings of the dtype and never read off one machine. In float32 and float64 every term of a sum is rounded: in
# another order, sums of up to thousands of terms differ by tens of roundings, and a network has a few such layers. For
# half types sums are carried on in float32 and each step rounds its result once: a layer has a few such steps. A token
# that sees what it must not see differs by 20 roundings of bfloat16 and by a million of float32.
_ROUNDINGS, _ROUNDINGS_OF_HALF = 256, 4


def rounding_bound(dtype: torch.dtype, roundings: float | None = None) -> float:
    """The relative difference that rounding explains between two computations of one thing in ``dtype``.

    Args:
        dtype: the coarsest floating dtype that takes part.
        roundings: how many of its epsilon; default: 256, for dtypes of 16 bits and less 4.
    """
    info = torch.finfo(dtype)
    if roundings is None:
        roundings = _ROUNDINGS if info.bits > 16 else _ROUNDINGS_OF_HALF
    return roundings * info.eps


def assert_equal_up_to_rounding(
    found: Tensor | np.ndarray,
    expected: Tensor | np.ndarray,
    *,
    roundings: float | None = None,
    dtype: torch.dtype | None = None,
    scale: float | None = None,
) -> None:
    """Assert that two computations of one thing agree, but for the order and the place of roundings.

    Args:
        found: one result; integers and truth values must be equal.
        expected: the other, of the same shape.
        roundings: as in ``rounding_bound``.
        dtype: as in ``rounding_bound``; default: the coarser dtype of the two.
        scale: size of the numbers that were rounded; default: the largest expected value. Needed where they cancel.
    """
    found, expected = torch.as_tensor(found).detach(), torch.as_tensor(expected).detach()
    assert found.shape == expected.shape, f"shapes differ: {tuple(found.shape)} and {tuple(expected.shape)}"
    if not expected.is_floating_point():
        assert torch.equal(found, expected), "the integers differ"
    elif expected.numel():
        bound = rounding_bound(dtype or _coarsest((found.dtype, expected.dtype)), roundings)
        _assert_close(found, expected, bound, "the two computations differ", scale)


def assert_permutation_equivariant(block: Block, dim: int | None = None, *, tolerance: float | None = None) -> None:
    """Assert that permuting the tokens permutes the block's output and changes nothing else.

    Args:
        block: called as block(features (B, N, D), valid (B, N)), in eval mode.
        dim: width D; needed only where the block has none of its own.
        tolerance: largest difference allowed, relative to the largest output; default: ``rounding_bound`` of the
            coarsest floating dtype among inputs, parameters and buffers.
    """
    x, valid = _tokens_for(block, dim)
    bound = rounding_bound(_dtype_of(block, x)) if tolerance is None else tolerance
    order = torch.randperm(x.shape[1], generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, found = block(x, valid)[:, order], block(x[:, order], valid[:, order])
    _assert_close(found[valid[:, order]], expected[valid[:, order]], bound, "the block is not equivariant")


def assert_padding_invariant(
    module: nn.Module,
    tokens: TokenSet | None = None,
    *,
    dim: int | None = None,
    padding: int = 3,
    tolerance: float | None = None,
) -> None:
    """Assert that valid tokens come out the same whether or not padding stands behind them, whatever it holds.

    Args:
        module: a Block, or a stage TokenSet -> TokenSet.
        tokens: for a stage: a token set whose last ``padding`` tokens are made padding and, for the comparison, cut
            off. Context tensors of shape (B, N, ...) are taken to run along the tokens.
        dim: for a block that has no width of its own.
        padding: number of padding tokens.
        tolerance: as in ``assert_permutation_equivariant``.
    """
    if tokens is None:
        x, _ = _tokens_for(module, dim)
        tokens = TokenSet.full(x, {})
    keep = tokens.features.shape[1] - padding
    features, valid = tokens.features.clone(), tokens.valid.clone()
    features[:, keep:], valid[:, keep:] = 100 * torch.randn_like(features[:, keep:]), False
    with torch.no_grad():
        padded = _apply(module, tokens.replace(features=features, valid=valid))[:, :keep]
        short = _apply(module, _cut(tokens, keep))
    mask = tokens.valid[:, :keep]
    bound = rounding_bound(_dtype_of(module, tokens.features)) if tolerance is None else tolerance
    _assert_close(padded[mask], short[mask], bound, "padding reaches the valid tokens")


def assert_block_frozen(model: Model, batch: Any, loss: Callable[[Any], Tensor] | None = None) -> None:
    """Assert that a training step changes adapters and encoder, and not one bit of the frozen block.

    Args:
        model: a model in training mode whose block is frozen; it is trained by one step of SGD.
        batch: what the model takes.
        loss: prediction -> scalar; default: mean square of a tensor.
    """
    block = model.bridge.block
    before = {name: tensor.clone() for name, tensor in _all_tensors(block).items()}
    trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
    (loss or _mean_square)(model(batch)).backward()
    for name, parameter in block.named_parameters():
        assert not parameter.requires_grad, f"block parameter {name} is trainable"
        assert parameter.grad is None, f"block parameter {name} has a gradient"
    for part in _reached(model):
        grads = [p.grad for name, p in trainable.items() if name.startswith(part)]
        assert any(grad is not None and bool(grad.any()) for grad in grads), f"no gradient reaches {part}"
    torch.optim.SGD(trainable.values(), lr=0.1).step()
    for name, tensor in _all_tensors(block).items():
        assert torch.equal(tensor, before[name]), f"{name} of the block changed in a training step"


def assert_settled_on_host(model: nn.Module, batch: Any, loss: Callable[[Any, Any], Tensor] | None = None) -> None:
    """Assert that a training step asks no tensor for a value: no branch, shape or index in it hangs on data.

    The step runs on copies whose tensors know their shapes and hold no values.

    Args:
        model: a model; it is not changed.
        batch: what the model takes, settled as it is after ``batch.to(device)``.
        loss: prediction and batch -> scalar; default: mean square of a tensor.
    """
    mode = FakeTensorMode()
    with FakeCopyMode(mode):
        model, batch = copy.deepcopy((model, batch))
    try:
        with mode:
            prediction = model(batch)
            (loss(prediction, batch) if loss else _mean_square(prediction)).backward()
    except (DataDependentOutputException, DynamicOutputShapeException) as error:
        raise AssertionError(f"a step asks a tensor for a value, by {error.func}; the cause says where") from error


def golden_fill(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Fill a state dict in place with values that depend only on its sorted key names and shapes; returns it.

    Filled under the *official* names and loaded by name, it checks a table of names and the mathematics at once,
    without any download. Integer counters are left alone. Weights keep activations at unit scale.
    """
    for position, key in enumerate(sorted(state)):
        value = state[key]
        if not value.is_floating_point():
            continue
        noise = _noise(value.numel(), position).reshape(value.shape)
        value.copy_((_golden_value(key, noise)).to(value.dtype))
    return state


def golden_clouds(points: int = 1024) -> Float[Tensor, "2 n 3"]:
    """Two float32 clouds: a Fibonacci spiral with radii in [0.5, 1), and 0.9 times it in reverse order."""
    i = torch.arange(points, dtype=torch.float64)
    z = 1 - (2 * i + 1) / points
    angle, ring = i * math.pi * (3 - math.sqrt(5)), (1 - z * z).sqrt()
    radius = 0.5 + 0.5 * (i * (math.sqrt(5) - 1) / 2).frac()
    cloud = torch.stack([ring * angle.cos(), ring * angle.sin(), z], dim=1) * radius[:, None]
    return torch.stack([cloud, 0.9 * cloud.flip(0)]).float()


def random_tokens(
    batch: int = 2,
    spans: Mapping[str, int] | None = None,
    dim: int = 8,
    *,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> TokenSet:
    """A token set of normal features, all valid, with spans of the given lengths (default: 1 ``cls``, 6 ``groups``)."""
    lengths = spans or {"cls": 1, "groups": 6}
    stops = torch.tensor([0, *lengths.values()]).cumsum(0).tolist()
    features = torch.randn(batch, stops[-1], dim, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return TokenSet.full(features, dict(zip(lengths, pairwise(stops))))


def _noise(count: int, position: int) -> Tensor:
    """``count`` float64 values in [-1, 1] by an integer hash of their index and the key's position."""
    value = torch.arange(count, dtype=torch.int64).mul(2654435761).add(position * 40503 + 1) & _U32
    value = ((value ^ (value >> 15)) * 2246822519) & _U32
    return (value ^ (value >> 13)).double() / 2**31 - 1


def _golden_value(key: str, noise: Tensor) -> Tensor:
    if key.endswith("running_var"):
        return 1 + noise.square() / 2
    if key.endswith(("running_mean", "bias")):
        return noise / 10
    if key in ("cls_token", "cls_pos"):
        return noise / 2
    return 1 + noise / 10 if noise.ndim == 1 else noise * math.sqrt(6 * len(noise) / noise.numel())


def _tokens_for(module: nn.Module, dim: int | None) -> tuple[Tensor, Tensor]:
    """Features (3, 9, D) in the module's precision and a validity mask that differs by row."""
    width = dim or getattr(module, "dim", None)
    if width is None:
        raise ValueError("the block has no width of its own; pass dim=")
    floating = (tensor.dtype for tensor in _all_tensors(module).values() if tensor.is_floating_point())
    tokens = random_tokens(3, {"all": 9}, width, dtype=next(floating, torch.float32))
    return tokens.features, torch.arange(9) < torch.tensor([[9], [5], [1]])


def _apply(module: nn.Module, tokens: TokenSet) -> Tensor:
    if isinstance(module, Block):
        return module(tokens.features, tokens.valid)
    return module(tokens).features


def _cut(tokens: TokenSet, keep: int) -> TokenSet:
    """Only the first ``keep`` tokens, context included."""
    shape = tokens.features.shape[:2]
    return TokenSet(
        features=tokens.features[:, :keep],
        valid=tokens.valid[:, :keep],
        spans={name: (min(start, keep), min(stop, keep)) for name, (start, stop) in tokens.spans.items()},
        positions=None if tokens.positions is None else tokens.positions[:, :keep],
        context={
            key: value[:, :keep] if isinstance(value, Tensor) and value.shape[:2] == shape else value
            for key, value in tokens.context.items()
        },
    )


def _all_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers, those outside the state dict included."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _reached(model: Model) -> list[str]:
    """Prefixes of the parts that must receive gradients."""
    adapters = [f"bridge.{name}" for name in ("adapter_in", "adapter_out") if hasattr(model.bridge, name)]
    trained = any(p.requires_grad for p in model.encoder.parameters())
    return [*adapters, *(["encoder"] if trained else []), "head"]


def _mean_square(prediction: Tensor) -> Tensor:
    return prediction.square().mean()


def _dtype_of(module: nn.Module, x: Tensor) -> torch.dtype:
    """The coarsest floating dtype that takes part when the module is called with ``x``, under autocast too."""
    return _coarsest((x.dtype, compute_dtype(x), *(tensor.dtype for tensor in _all_tensors(module).values())))


def _coarsest(dtypes: Iterable[torch.dtype]) -> torch.dtype:
    return max((dtype for dtype in dtypes if dtype.is_floating_point), key=lambda dtype: torch.finfo(dtype).eps)


def _assert_close(found: Tensor, expected: Tensor, bound: float, complaint: str, scale: float | None = None) -> None:
    found, expected = (tensor.to("cpu", torch.float64) for tensor in (found, expected))
    error = float((found - expected).abs().max()) / max(scale or float(expected.abs().max()), 1e-300)
    assert error <= bound, f"{complaint}: relative difference {error:.2e} exceeds {bound:.1e}"
