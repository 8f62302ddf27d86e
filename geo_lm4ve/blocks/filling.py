"""Gives an empty module its weights: every tensor it has, no other, each of its shape."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from geo_lm4ve.blocks.base import BlockError


def fill(module: nn.Module, tensors: Mapping[str, Tensor], dtype: torch.dtype | None, place: str) -> None:
    """Replace the parameters of ``module`` by frozen ones that hold ``tensors``.

    Matrices are held in ``dtype`` (None: as they come), vectors (norm weights, biases) in float32 at least: they are
    few, and rounding them would cost accuracy and save no memory.

    Raises:
        BlockError: a missing or unexpected key, or a shape that differs; the message names them and ``place``.
    """
    expected = dict(module.named_parameters())
    _check_keys(set(expected), set(tensors), place)
    for key, parameter in expected.items():
        tensor = tensors[key].detach()
        if tensor.shape != parameter.shape:
            raise BlockError(f"{place}: {key} has shape {list(tensor.shape)}, the layer needs {list(parameter.shape)}")
        owner, _, name = key.rpartition(".")
        wide = torch.promote_types(tensor.dtype, torch.float32)
        held = tensor.to(wide) if tensor.dim() < 2 else tensor.to(dtype or tensor.dtype)
        setattr(module.get_submodule(owner), name, nn.Parameter(held, requires_grad=False))


def _check_keys(expected: set[str], given: set[str], place: str) -> None:
    problems = {"missing": expected - given, "unexpected": given - expected}
    if any(problems.values()):
        listed = "; ".join(f"{kind}: {', '.join(sorted(keys))}" for kind, keys in problems.items() if keys)
        raise BlockError(f"{place}: the tensors are not those of this layer ({listed})")
