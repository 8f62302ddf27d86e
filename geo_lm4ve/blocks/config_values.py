"""Sizes and numbers of a model's config, checked before anything is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geo_lm4ve.reading import Fields

_DEPTHS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_MOST_LAYERS = 10_000
"""Libraries make lists as long as a model is deep; the deepest published ones have a few hundred layers."""

_SIZES = (
    "hidden_size", "n_embd", "intermediate_size", "ffn_dim", "n_inner", "num_attention_heads", "n_head", "head_dim",
    "num_key_value_heads", "word_embed_proj_dim", "max_position_embeddings", "n_positions", "sliding_window",
)  # fmt: skip
_LARGEST = 2**31 - 1
_POSITIVE = ("rope_theta", "attn_logit_softcapping", "query_pre_attn_scalar")
_EPSILONS = ("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon")


def check_config(config: Mapping[str, Any]) -> None:
    """Refuse values that no layer can have; what is null or missing has transformers' default.

    Raises:
        ValueError: names the key and its value.
    """
    given = Fields({key: value for key, value in config.items() if value is not None})
    for keys, most in ((_DEPTHS, _MOST_LAYERS), (_SIZES, _LARGEST)):
        for key in given.values.keys() & set(keys):
            given.whole(key, 1, most)
    for key in given.values.keys() & set(_POSITIVE):
        if not given.number(key) > 0:
            raise ValueError(f"{key} is {given[key]}, not above 0")
    for key in given.values.keys() & set(_EPSILONS):
        if not 0 <= given.number(key) < 1:
            raise ValueError(f"{key} is {given[key]}, not from 0 to 1")
    _check_heads(given.values)


def _check_heads(config: Mapping[str, Any]) -> None:
    """Groups of heads share keys and values; without a size of its own a head is a part of the width."""
    heads, groups = config.get("num_attention_heads"), config.get("num_key_value_heads")
    if heads and groups and heads % groups:
        raise ValueError(f"{heads} num_attention_heads cannot share {groups} num_key_value_heads")
