"""The commonest config, completed without transformers, whose configs take as long to import as torch does twice."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

_DEFAULTS: dict[str, Any] = {
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "rms_norm_eps": 1e-6,
    "initializer_range": 0.02,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
}
"""What transformers takes for what a ``llama`` config leaves out; of the values that a layer depends on."""

_DERIVED = ("head_dim", "num_key_value_heads")


def complete_llama(config: Mapping[str, Any]) -> SimpleNamespace | None:
    """What transformers' config object says of layers, for a plain ``llama`` config; None for any other.

    Plain is a config without scaled rotary embedding, with values of the expected kinds and sizes that go into one
    another: transformers says what is wrong with another one.
    """
    values = {key: value for key, value in config.items() if value is not None or key in _DEFAULTS}
    if values.get("model_type") != "llama" or not {"text_config", "rope_scaling", "rope_parameters"}.isdisjoint(values):
        return None
    full = {**_DEFAULTS, **values}
    if not all(_alike(full[key], default) for key, default in _DEFAULTS.items()) or full["hidden_act"] != "silu":
        return None
    heads = full["num_attention_heads"]
    if full["hidden_size"] % heads:
        return None
    full = {"head_dim": full["hidden_size"] // heads, "num_key_value_heads": heads, **full}
    return SimpleNamespace(**full) if all(_alike(full[key], heads) for key in _DERIVED) else None


def _alike(value: Any, default: Any) -> bool:
    """Whether a value is of the kind of the default, and a number above 0."""
    if isinstance(default, bool | str):
        return type(value) is type(default)
    return type(value) in (int, type(default)) and value > 0
