"""Properties to assert about blocks, stages and models, and fixtures that need no download. For your own tests too."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

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
from geo_lm4ve.model import Model
from geo_lm4ve.tokens import TokenSet

_U32 = 0xFFFFFFFF


def assert_permutation_equivariant(block: Block, dim: int | None = None, *, tolerance: float = 1e-5) -> None:
    """Assert that permuting the tokens permutes the block's output and changes nothing else.

    Args:
        block: called as block(features (B, N, D), valid (B, N)), in eval mode.
        dim: width D; needed only where the block has none of its own.
        tolerance: largest difference allowed, relative to the largest output.
    """
    x, valid = _tokens_for(block, dim)
    order = torch.randperm(x.shape[1], generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, found = block(x, valid)[:, order], block(x[:, order], valid[:, order])
    _assert_close(found[valid[:, order]], expected[valid[:, order]], tolerance, "the block is not equivariant")


def assert_padding_invariant(
    module: nn.Module,
    tokens: TokenSet | None = None,
    *,
    dim: int | None = None,
    padding: int = 3,
    tolerance: float = 1e-5,
) -> None:
    """Assert that valid tokens come out the same whether or not padding stands behind them, whatever it holds.

    Args:
        module: a Block, or a stage TokenSet -> TokenSet.
        tokens: for a stage: a token set whose last ``padding`` tokens are made padding and, for the comparison, cut
            off. Context tensors of shape (B, N, ...) are taken to run along the tokens.
        dim: for a block that has no width of its own.
        padding: number of padding tokens.
        tolerance: largest difference allowed, relative to the largest output.
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
    _assert_close(padded[mask], short[mask], tolerance, "padding reaches the valid tokens")


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


def assert_settled_on_host(model: Model, batch: Any, loss: Callable[[Any, Any], Tensor] | None = None) -> None:
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


def _assert_close(found: Tensor, expected: Tensor, tolerance: float, complaint: str) -> None:
    error = float((found - expected).abs().max() / expected.abs().max().clamp(min=1e-30))
    assert error <= tolerance, f"{complaint}: relative difference {error:.2e} exceeds {tolerance:.0e}"
