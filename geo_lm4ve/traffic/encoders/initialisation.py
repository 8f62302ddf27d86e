"""Initialisation that the motion models share."""

from __future__ import annotations

from torch import nn


def glorot_matrices(module: nn.Module) -> None:
    """Glorot-uniform values for all weight matrices of a module; biases and norms stay as they are."""
    for parameter in module.parameters():
        if parameter.ndim > 1:
            nn.init.xavier_uniform_(parameter)


def zero_biases(module: nn.Module) -> None:
    """Zero biases for all linear layers of a module."""
    for part in module.modules():
        if isinstance(part, nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
