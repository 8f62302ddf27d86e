"""Layers out of a GGUF file, dequantised to float32, in transformers' names, order and conventions.

What llama.cpp's converter changes and this undoes: for architecture ``llama`` (LLaMA, Mistral, SmolLM2 …) the rows of
queries and keys stand in Meta's rotary order; for Gemma every norm's weight was stored plus one.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources.gguf_file import GGUFFile
from geo_lm4ve.blocks.sources.rotary import half_split
from geo_lm4ve.reading import reader

_COMMON = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_PRE_NORM = _COMMON | {"ffn_norm": "post_attention_layernorm"}
_QK_NORM = {"attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm"}
_SANDWICH = _COMMON | {
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
NAMES = {
    "llama": _PRE_NORM,
    "qwen2": _PRE_NORM,
    "qwen3": _PRE_NORM | _QK_NORM,
    "gemma": _PRE_NORM,
    "gemma2": _SANDWICH,
    "gemma3": _SANDWICH | _QK_NORM,
}
"""By GGUF architecture: a layer's tensor names, ours by llama.cpp's."""

_CONFIG = {
    "embedding_length": "hidden_size",
    "block_count": "num_hidden_layers",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "context_length": "max_position_embeddings",
    "vocab_size": "vocab_size",
    "rope.freq_base": "rope_theta",
    "attention.sliding_window": "sliding_window",
    "attn_logit_softcapping": "attn_logit_softcapping",
    "final_logit_softcapping": "final_logit_softcapping",
}
_REQUIRED = ("embedding_length", "block_count", "feed_forward_length", "attention.head_count")
_WIDEST_GEMMA = {"gemma2": 46, "gemma3": 62}
"""Layers of the 27B models, whose attention is scaled by hidden size / heads instead of the head size, as llama.cpp's
loader decides by the same count."""


class GGUFCheckpoint:
    """A Checkpoint over one GGUF file: ``names`` are transformers', ``read`` gives float32."""

    @reader(BlockError, "a GGUF file of a language model", "fetch it again")
    def __init__(self, path: Path) -> None:
        """Read the header; BlockError for an architecture that is not known exactly."""
        self.place = f"gguf:{path}"
        self.bytes_read = 0
        self._file = GGUFFile(path)
        self._architecture = self._known_architecture()
        self.config = self._translated_config()
        self._stored = dict(self._translated_names())
        self.names: Collection[str] = self._stored.keys()
        self._warn_of_scaled_rotary()

    def _known_architecture(self) -> str:
        if (parts := self._file.metadata.get("split.count", 1)) > 1:
            raise BlockError(
                f"{self.place} is one of {parts} parts; join them with llama.cpp's `llama-gguf-split --merge`"
            )
        found = str(self._file.metadata.get("general.architecture"))
        if found not in NAMES:
            raise BlockError(
                f"{self.place} holds architecture {found!r}; from GGUF these are read exactly: {', '.join(NAMES)}. "
                "Use the model's safetensors (hub: or dir:) instead"
            )
        if experts := self._file.metadata.get(f"{found}.expert_count"):
            raise BlockError(f"{self.place} is a mixture of {experts} experts; only dense layers are read from GGUF")
        return found

    def _value(self, key: str) -> Any:
        return self._file.metadata.get(f"{self._architecture}.{key}")

    def _translated_config(self) -> dict[str, Any]:
        if missing := [key for key in _REQUIRED if self._value(key) is None]:
            raise BlockError(f"{self.place} lacks the metadata {self._architecture}.{missing[0]}; convert it anew")
        config = {ours: self._value(key) for key, ours in _CONFIG.items() if self._value(key) is not None}
        config["model_type"] = "gemma3_text" if self._architecture == "gemma3" else self._architecture
        return config | self._head_sizes(config)

    def _head_sizes(self, config: dict[str, Any]) -> dict[str, Any]:
        """What a GGUF leaves to llama.cpp's code: group count, head size, Gemma's attention scale, biases."""
        heads, hidden, ffn = (config[k] for k in ("num_attention_heads", "hidden_size", "intermediate_size"))
        groups = self._value("attention.head_count_kv") or heads
        if not all(isinstance(number, int) and number > 0 for number in (heads, hidden, ffn, groups)):
            raise BlockError(f"{self.place}: heads or FFN sizes differ from layer to layer, as in no supported family")
        sizes = {"num_key_value_heads": groups, "head_dim": self._value("attention.key_length") or hidden // heads}
        if self._architecture in _WIDEST_GEMMA:
            widest = config["num_hidden_layers"] == _WIDEST_GEMMA[self._architecture]
            sizes["query_pre_attn_scalar"] = hidden // heads if widest else sizes["head_dim"]
        if self._architecture == "llama" and "blk.0.attn_q.bias" in self._file.tensors:
            sizes["attention_bias"] = True
        return sizes

    def _translated_names(self) -> list[tuple[str, str]]:
        """(our name, name in the file) of every layer's tensors and of the final norm."""
        pairs = []
        for name in self._file.tensors:
            head, _, rest = name.partition(".")
            index, _, tail = rest.partition(".")
            stem, _, kind = tail.rpartition(".")
            if head == "blk" and stem in NAMES[self._architecture]:
                pairs.append((f"model.layers.{index}.{NAMES[self._architecture][stem]}.{kind}", name))
            elif name == "output_norm.weight":
                pairs.append(("model.norm.weight", name))
        return pairs

    def _warn_of_scaled_rotary(self) -> None:
        if "rope_freqs.weight" in self._file.tensors or self._value("rope.scaling.type") not in (None, "none"):
            logging.getLogger(__name__).warning(
                "%s scales its rotary frequencies; that is not carried over. It matters only with rotary embedding on "
                "(off by default, as in the paper); for that, read the model's safetensors",
                self.place,
            )

    def read(self, names: Sequence[str]) -> dict[str, Tensor]:
        """These tensors, dequantised to float32."""
        tensors = {name: self._converted(name) for name in names}
        self.bytes_read += sum(self._file.stored_bytes(self._stored[name]) for name in names)
        return tensors

    def _converted(self, name: str) -> Tensor:
        values = torch.from_numpy(self._file.dequantize(self._stored[name]))
        if self._architecture == "llama" and ".q_proj." in name:
            return half_split(values, self.config["num_attention_heads"])
        if self._architecture == "llama" and ".k_proj." in name:
            return half_split(values, self.config["num_key_value_heads"])
        if self._architecture.startswith("gemma") and name.endswith("norm.weight"):
            return values - 1
        return values
