"""Checkpoints without frozen weights: they come from the block's source again."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import nn


def keep_frozen_out(module: nn.Module) -> None:
    """From now on ``module.state_dict()`` leaves out what is frozen in it now, and strict loading does not miss it.

    A state dict that does hold one of these parameters is refused: frozen weights never come from a checkpoint.
    """
    keys = frozenset(name for name, parameter in module.named_parameters() if not parameter.requires_grad)
    module.register_state_dict_post_hook(partial(_drop, keys))
    module.register_load_state_dict_pre_hook(partial(_lend, keys))


def _drop(keys: frozenset[str], module: nn.Module, state: dict[str, Any], prefix: str, metadata: object) -> None:
    """State-dict post hook: frozen weights are a reference, not a part of a checkpoint."""
    for key in keys:
        del state[prefix + key]


def _lend(
    keys: frozenset[str],
    module: nn.Module,
    state: dict[str, Any],
    prefix: str,
    metadata: object,
    strict: bool,
    missing: list[str],
    unexpected: list[str],
    errors: list[str],
) -> None:
    """Load pre-hook: the module's own frozen weights stand in for those that no checkpoint holds."""
    own = dict(module.named_parameters())
    for key in keys:
        if prefix + key in state:
            errors.append(f"{prefix + key} is frozen: it comes from the block's source, never from a checkpoint")
        state[prefix + key] = own[key].detach()
