"""What modules are called with: refused by shapes and kinds alone, so that no device is asked for a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from geo_lm4ve.files import UserError
from geo_lm4ve.tokens import TokenSet
from geo_lm4ve.words import short

_LONGEST = 60
"""Characters of a value that an error repeats at most."""


class InputError(UserError, ValueError):
    """A call with what the callee does not take; the message says what it got, what it takes, and the line to write."""


def described(value: Any) -> str:
    """A value by its kind and size: ``float32 tensor of shape (2, 1024, 3)``, ``list of 2 Tensor``, ``'chair.off'``."""
    kind = type(value).__name__
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        kind = {"Tensor": "tensor", "ndarray": "numpy array"}.get(kind, kind)
        return f"{str(value.dtype).removeprefix('torch.')} {kind} of shape {tuple(value.shape)}"
    if isinstance(value, list | tuple):
        return f"{kind} of {len(value)} {type(value[0]).__name__}" if value else f"empty {kind}"
    if isinstance(value, Mapping):
        return f"{kind} of {', '.join(short(str(key), _LONGEST) for key in list(value)[:4])}"
    return short(repr(value), _LONGEST) if isinstance(value, str | int | float) or value is None else kind


def check_tokens(name: str, dim: int | None, x: Any, valid: Any) -> None:
    """Refuse what no block of width ``dim`` (None: any) can take.

    Raises:
        InputError: ``x`` is no (B, N, dim) of fractions, or ``valid`` no (B, N) of bool.
    """
    if wrong := _wrong_tokens(dim, x) or _wrong_mask(x, valid):
        width = "D" if dim is None else dim
        raise InputError(f"{name} takes tokens x (B, N, {width}) and, where some are padding, valid (B, N); {wrong}")


def _wrong_tokens(dim: int | None, x: Any) -> str:
    """What is wrong with ``x`` and what to write; "" if nothing."""
    if not isinstance(x, Tensor):
        return f"x is {described(x)}: make it a tensor, block(torch.as_tensor(x))"
    if x.dim() != 3:
        advice = "add the batch axis, block(x[None])" if x.dim() == 2 else "one row of N tokens for each sample"
        return f"x is {described(x)}: {advice}"
    if not x.is_floating_point():
        return f"x is {described(x)}: make it fractions, block(x.float())"
    if dim not in (None, x.shape[2]):
        return (
            f"x is {described(x)}: adapters fit another width, LinearBridgeConfig().build(block, {x.shape[2]}) of "
            "geo_lm4ve.bridge, which takes a TokenSet"
        )
    return ""


def _wrong_mask(x: Tensor, valid: Any) -> str:
    if valid is None or (isinstance(valid, Tensor) and valid.dtype == torch.bool and valid.shape == x.shape[:2]):
        return ""
    found = f"for x of shape {tuple(x.shape)}, valid is {described(valid)}"
    if not isinstance(valid, Tensor) or valid.dtype != torch.bool:
        return f"{found}: True where a token is real, False where it is padding, e.g. valid=mask.bool()"
    advice = "it says which tokens are real, not which see which" if valid.dim() > 2 else "one value per token"
    return f"{found}: its shape must be {tuple(x.shape[:2])}, {advice}"


def check_token_set(name: str, dim: int | None, spans: Sequence[str], tokens: Any) -> None:
    """Refuse what ``name`` cannot take.

    Raises:
        InputError: it is no TokenSet, of another width than ``dim`` (None: any), or without one of ``spans``.
    """
    fits = isinstance(tokens, TokenSet) and dim in (None, tokens.dim)
    if fits and all(span in tokens.spans for span in spans):
        return
    wanted = f"{name} takes a TokenSet" + ("" if dim is None else f" of width {dim}")
    if not isinstance(tokens, TokenSet):
        line = 'TokenSet.full(x, {"tokens": (0, x.shape[1])}) makes one of a tensor x (B, N, D)'
        raise InputError(f"{wanted}, not {described(tokens)}: {line}")
    if not fits:
        raise InputError(f"{wanted}; this one holds a {described(tokens.features)}: build it for width {tokens.dim}")
    missing, made = [span for span in spans if span not in tokens.spans], ", ".join(sorted(tokens.spans)) or "none"
    raise InputError(f"{name} reads the spans {', '.join(spans)}; the tokens have {made}: no {', '.join(missing)}")
