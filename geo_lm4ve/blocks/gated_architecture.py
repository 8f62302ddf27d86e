"""GatedArchitecture: what distinguishes the families of RMSNorm + attention + gated MLP layers, as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.config_values import check_config
from geo_lm4ve.blocks.llama_config import complete_llama

GEMMA = ("gemma", "gemma2", "gemma3_text")
FAMILIES = ("llama", "mistral", "qwen2", "qwen3", *GEMMA)
"""``model_type`` of the families our layer computes; SmolLM2, OpenLLaMA and LLaMA 1-3 are all ``llama``."""

ROTARY = ("default", "linear", "llama3", "yarn")
"""Rotary variants whose frequencies do not depend on the length of the input."""


@dataclass(frozen=True)
class GatedArchitecture:
    """Sizes and traits of one model's layers.

    Attributes:
        family: transformers' ``model_type``.
        dim: width D of the residual stream.
        heads: query heads; ``kv_heads``: key/value heads; ``head_dim``: width of each (not always dim / heads).
        hidden: width of the gated MLP.
        activation: of the gate, in transformers' names.
        norm_eps: of every RMSNorm.
        norm_offset: what is added to a stored norm weight to get its gain (Gemma stores gain - 1).
        post_norms: normalise each branch's output too (Gemma 2, 3).
        qk_norm: normalise queries and keys per head (Qwen3, Gemma 3).
        qkv_bias, output_bias, mlp_bias: which projections carry a bias (Qwen2: q, k, v).
        query_scale: factor on the attention scores, usually head_dim^-0.5.
        softcap: scores are bounded to ±softcap by tanh (Gemma 2), or None.
        windows: sliding window of each layer of the model in tokens, or None.
        config: as given; rotary frequencies are read from it, completed by transformers.
    """

    family: str
    dim: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    activation: str
    norm_eps: float
    norm_offset: float
    post_norms: bool
    qk_norm: bool
    qkv_bias: bool
    output_bias: bool
    mlp_bias: bool
    query_scale: float
    softcap: float | None
    windows: tuple[int | None, ...]
    config: Mapping[str, Any]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> GatedArchitecture:
        """Read the traits from a transformers config; keys it leaves out have transformers' defaults.

        Raises:
            BlockError: the family is none of FAMILIES.
        """
        full = traits(config)
        family = full.model_type
        if family not in FAMILIES:
            raise BlockError(f"{family!r} is no gated family ({', '.join(FAMILIES)}); use implementation: hf")
        check_config(vars(full))  # with what transformers fills in
        heads = full.num_attention_heads
        head_dim = getattr(full, "head_dim", None) or full.hidden_size // heads
        bias = bool(getattr(full, "attention_bias", False))
        return cls(
            family=family,
            dim=full.hidden_size,
            heads=heads,
            kv_heads=full.num_key_value_heads,
            head_dim=head_dim,
            hidden=full.intermediate_size,
            activation=getattr(full, "hidden_activation", None) or full.hidden_act,
            norm_eps=full.rms_norm_eps,
            norm_offset=1.0 if family in GEMMA else 0.0,
            post_norms=family in ("gemma2", "gemma3_text"),
            qk_norm=family in ("qwen3", "gemma3_text"),
            qkv_bias=bias or family == "qwen2",
            output_bias=bias,
            mlp_bias=bool(getattr(full, "mlp_bias", False)),
            query_scale=(getattr(full, "query_pre_attn_scalar", None) or head_dim) ** -0.5,
            softcap=getattr(full, "attn_logit_softcapping", None) if family == "gemma2" else None,
            windows=windows(full),
            config=config,
        )

    def rotary(self, layer: int) -> tuple[Tensor, float]:
        """Frequencies (head_dim / 2), radians per token, and the factor on cos and sin, of one layer.

        Raises:
            BlockError: a variant whose frequencies change with the length of the input.
        """
        config = complete(self.config)
        rope, options = config.rope_parameters, {}
        if self.family == "gemma3_text":  # one base for sliding layers, another for full ones
            options = {"layer_type": config.layer_types[layer]}
            rope = rope[options["layer_type"]]
        kind = rope["rope_type"]
        if kind not in ROTARY:
            raise BlockError(f"rotary embedding {kind!r} of {self.family} is not supported; supported: {ROTARY}")
        if self.head_dim % 2:
            raise ValueError(f"heads of {self.head_dim} values have no pairs that rotary embedding could turn")
        if kind == "default":
            exponent = torch.arange(0, self.head_dim, 2, dtype=torch.float64) / self.head_dim
            return _finite(torch.exp(exponent * -math.log(rope["rope_theta"])), rope), 1.0
        from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

        frequencies, scale = ROPE_INIT_FUNCTIONS[kind](config, torch.device("cpu"), **options)
        return _finite(frequencies, rope), float(scale)


def _finite(frequencies: Tensor, rope: Mapping[str, Any]) -> Tensor:
    if frequencies.dim() != 1 or not bool(frequencies.isfinite().all()):
        raise ValueError(f"rotary embedding {dict(rope)} has frequencies that are not finite")
    return frequencies


def complete(config: Mapping[str, Any]) -> Any:
    """The transformers config object of a ``config.json``, defaults filled in; the text part of a multi-modal one.

    Raises:
        BlockError: transformers does not know the ``model_type``.
    """
    from transformers import CONFIG_MAPPING, AutoConfig

    values = dict(config.get("text_config") or config)
    kind = values.pop("model_type", None)
    if kind not in CONFIG_MAPPING:
        raise BlockError(f"config has model_type {kind!r}, which the installed transformers does not know")
    return AutoConfig.for_model(kind, **values)


def traits(config: Mapping[str, Any]) -> Any:
    """What ``complete`` gives, as far as layers depend on it; without transformers where that is possible."""
    return complete_llama(config) or complete(config)


def windows(full: Any) -> tuple[int | None, ...]:
    """The sliding window of each layer, in tokens; a config without ``layer_types`` means one for all (Mistral).

    Raises:
        BlockError: a layer attends in another way than fully or within a window.
    """
    window = getattr(full, "sliding_window", None)
    kinds = getattr(full, "layer_types", None)
    if kinds is None:
        return (window,) * full.num_hidden_layers
    if other := set(kinds) - {"full_attention", "sliding_attention"}:
        raise BlockError(f"{full.model_type} has layers of kind {sorted(other)}, which are no plain attention")
    return tuple(window if kind == "sliding_attention" else None for kind in kinds)
