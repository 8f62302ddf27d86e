"""What the tensors of a state dict say about the config behind them, for errors that name the keys to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from geo_lm4ve.pretrained.layouts import NameTable, matched

OUTPUTS = "outputs"
"""Key of a description: rows of an output layer that ``classes=`` can cut or leave, so that no config need change."""

_BLOCK = "block_dim"  # width of the block between the adapters; many options of block= have one width


def size(state: Mapping[str, Tensor], key: str, axis: int = 0) -> int | None:
    """Length of one axis of a tensor (axis 0 of a linear layer's weight: its outputs); None without such a tensor."""
    return state[key].shape[axis] if key in state and state[key].ndim > axis else None


def count(state: Mapping[str, Tensor], pattern: str) -> int | None:
    """How many numbers stand for ``*`` in names below ``pattern`` (``layers.*``); None for none."""
    return len({found[1] for key in state if (found := matched(key, pattern))}) or None


def widths(state: Mapping[str, Tensor], pattern: str) -> tuple[int, ...]:
    """Outputs of the matrices named ``pattern``, in the order of the numbers that stand for ``*``; () for none."""
    found = [(matched(key, pattern), value) for key, value in state.items() if value.ndim == 2]
    return tuple(rows for _, rows in sorted((int(match[1]), len(value)) for match, value in found if match))


def describe(state: Mapping[str, Tensor], table: NameTable | None) -> dict[str, Any]:
    """What a table reads off a state dict in our names, and the width of the block; None or empty for no trace."""
    return {**(table.describe(state) if table else {}), _BLOCK: size(state, "bridge.adapter_in.weight")}


def advice(file: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """What to change so that a file fits, as far as descriptions of both tell; ends in a blank unless empty."""
    known = {key: value for key, value in file.items() if (value or value is False) and value != model.get(key)}
    outputs = known.pop(OUTPUTS, None)
    if known:
        parts = (f"{k.rpartition('.')[2]} {value} (the model: {model.get(k) or 'none'})" for k, value in known.items())
        settings = ", ".join(_setting(key, value) for key, value in known.items())
        return f"The checkpoint has {', '.join(parts)}: build the model with these ({settings}). "
    if outputs:
        return (
            f"The checkpoint was trained with {outputs} outputs, the model has {model.get(OUTPUTS)}; pass "
            "classes='slice' to keep the first rows (fewer classes), or classes='fresh' to leave the output layer as "
            "initialised. "
        )
    return ""


def _setting(key: str, value: Any) -> str:
    """A value as the command line takes it."""
    if key == _BLOCK:
        return f"a block of width {value}"
    return f"{key}=[{','.join(map(str, value))}]" if isinstance(value, tuple) else f"{key}={value}"
