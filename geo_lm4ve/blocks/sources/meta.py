"""Layers out of Meta's own LLaMA folders: ``params.json`` and one or several ``consolidated.NN.pth``.

Several files are model-parallel shards of the same tensors, cut along the output axis (wq, wk, wv, w1, w3) or the
input axis (wo, w2); norms are repeated in each (fairscale's column- and row-parallel layers).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources.checkpoint import read_json
from geo_lm4ve.blocks.sources.meta_names import FINAL_NORM, GATE, QUERY, layer_tensor
from geo_lm4ve.blocks.sources.pickled import open_pickled
from geo_lm4ve.reading import Fields, reader

_MOST_SHARDS = 256
"""Model-parallel shards that a folder may be told to have; Meta's largest models come in 16."""


class MetaCheckpoint:
    """A Checkpoint over Meta's folder, in transformers' names and row order."""

    @reader(BlockError, "a LLaMA folder of Meta's", "check the path after meta:, or fetch params.json again")
    def __init__(self, folder: Path) -> None:
        """Map every shard; BlockError when params.json or a shard is missing."""
        self.place = f"meta:{folder}"
        self.bytes_read = 0
        self._params = Fields(read_json(folder / "params.json"), "params.json:")
        self._shards = [open_pickled(path) for path in _shard_files(folder)]
        self._stored = dict(_translated(self._shards[0]))
        self.names: Collection[str] = self._stored.keys()
        self._require_every_shard(folder)
        self.config = self._translated_config()

    def _require_every_shard(self, folder: Path) -> None:
        """The width of one shard's query projection tells how many there must be."""
        name = next((name for name in self._shards[0] if name.endswith(QUERY)), None)
        if name is None:
            raise BlockError(f"{folder} holds no …{QUERY}; is it a LLaMA folder of Meta's?")
        expected = self._params.whole("dim", 1) // max(1, len(self._shards[0][name]))
        if expected > _MOST_SHARDS:
            raise ValueError(f"dim {self._params['dim']} would be cut into {expected} shards")
        if expected != len(self._shards):
            missing = [f"consolidated.{i:02d}.pth" for i in range(len(self._shards), expected)]
            raise BlockError(
                f"{folder} is one of {expected} model-parallel shards per tensor, {len(self._shards)} are there; "
                f"missing: {', '.join(missing) or 'none, there are too many'}"
            )

    def _translated_config(self) -> dict[str, Any]:
        gate = next(name for name in self._shards[0] if name.endswith(GATE))
        params = self._params
        heads = params.whole("n_heads", 1)
        config = {
            "model_type": "llama",
            "hidden_size": params.whole("dim", 1),
            "num_hidden_layers": params.whole("n_layers", 1),
            "num_attention_heads": heads,
            "num_key_value_heads": heads if params.values.get("n_kv_heads") is None else params.whole("n_kv_heads", 1),
            "intermediate_size": self._shards[0][gate].shape[0] * len(self._shards),
            "rms_norm_eps": params.number("norm_eps"),
        }
        if "rope_theta" in params.values:
            config["rope_theta"] = params.number("rope_theta")
        if params.values.get("use_scaled_rope"):
            config["rope_scaling"] = _scaled_rotary(params)
        return config

    def read(self, names: Sequence[str]) -> dict[str, Tensor]:
        """These tensors, joined over the shards."""
        tensors = {name: self._joined(name) for name in names}
        self.bytes_read += sum(shard[self._stored[name]].nbytes for name in names for shard in self._shards)
        return tensors

    def _joined(self, name: str) -> Tensor:
        stored = self._stored[name]
        pieces = [self._piece(number, stored) for number in range(len(self._shards))]
        found = layer_tensor(stored)
        if found is None or found[1].axis is None:
            self._require_equal(pieces, stored)
            return pieces[0]
        whole = pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=found[1].axis)
        return found[1].reordered(whole, self.config["hidden_size"] // self.config["num_attention_heads"])

    def _piece(self, number: int, stored: str) -> Tensor:
        if stored not in self._shards[number]:
            raise BlockError(f"{self.place}: consolidated.{number:02d}.pth lacks {stored}; fetch that file again")
        return self._shards[number][stored]

    def _require_equal(self, pieces: list[Tensor], stored: str) -> None:
        for number, piece in enumerate(pieces[1:], start=1):
            if not torch.equal(piece, pieces[0]):
                raise BlockError(
                    f"{self.place}: {stored} differs between consolidated.00.pth and consolidated.{number:02d}.pth; "
                    "they are shards of different models"
                )


def _shard_files(folder: Path) -> list[Path]:
    """consolidated.00.pth and those that follow it without a gap."""
    found = sorted(folder.glob("consolidated.*.pth"))
    if not found:
        raise BlockError(f"{folder} holds no consolidated.*.pth; is it a LLaMA folder of Meta's?")
    for number, path in enumerate(found):
        if path.name != (wanted := f"consolidated.{number:02d}.pth"):
            raise BlockError(f"{folder} lacks {wanted} (it has {', '.join(p.name for p in found)}); put it there")
    return found


def _translated(shard: dict[str, Tensor]) -> list[tuple[str, str]]:
    """(transformers' name, Meta's name) of the layers' tensors and the final norm."""
    pairs = [("model.norm.weight", FINAL_NORM)] if FINAL_NORM in shard else []
    for name in shard:
        if found := layer_tensor(name):
            pairs.append((f"model.layers.{found[0]}.{found[1].ours}", name))
    return pairs


def _scaled_rotary(params: Fields) -> dict[str, Any]:
    """LLaMA 3.1's frequency scaling; constants of ``apply_scaling`` in llama-models, models/llama3/model.py."""
    return {
        "rope_type": "llama3",
        "factor": _number(params, "rope_scaling_factor", 8.0),
        "low_freq_factor": 1.0,
        "high_freq_factor": _number(params, "rope_high_freq_factor", 4.0),
        "original_max_position_embeddings": 8192,
    }


def _number(params: Fields, key: str, default: float) -> float:
    return params.number(key) if params.values.get(key) is not None else default
