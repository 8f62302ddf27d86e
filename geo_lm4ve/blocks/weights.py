"""Only the asked layers of a language model, never the model: one entry for every kind of source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from geo_lm4ve.blocks.base import BlockError, LayerWeights
from geo_lm4ve.blocks.extracted import ExtractedCheckpoint
from geo_lm4ve.blocks.sources.checkpoint import BytesRead, Checkpoint
from geo_lm4ve.blocks.sources.directory import DirectoryCheckpoint
from geo_lm4ve.blocks.sources.gguf import GGUFCheckpoint
from geo_lm4ve.blocks.sources.hub_layers import hub_layers
from geo_lm4ve.blocks.sources.meta import MetaCheckpoint
from geo_lm4ve.blocks.sources.package import carried_file
from geo_lm4ve.blocks.sources.selection import select_layers

KINDS = {
    "hub": "hub:REPO[@REVISION], a Hugging Face repository (only the layers' bytes are fetched)",
    "dir": "dir:PATH, a local transformers folder with config.json and safetensors or .bin",
    "meta": "meta:PATH, Meta's LLaMA folder with params.json and consolidated.*.pth",
    "gguf": "gguf:PATH, a GGUF file",
    "package": "package:NAME, an installed distribution that carries a GGUF or safetensors file",
    "file": "file:PATH, layers written by tools/extract_block.py",
    "random": "random:ARCHITECTURE, freshly drawn weights",
}

_LOCAL: dict[str, Callable[[Path], Checkpoint]] = {
    "dir": DirectoryCheckpoint,
    "meta": MetaCheckpoint,
    "gguf": GGUFCheckpoint,
    "file": ExtractedCheckpoint,
}


def load_layers(
    source: str,
    layers: Sequence[int] = (-1,),
    *,
    final_norm: bool = False,
    cache_dir: Path | None = None,
    seed: int = 0,
    dtype: torch.dtype | None = None,
    meter: BytesRead | None = None,
) -> LayerWeights:
    """Consecutive decoder layers of a language model, without reading the rest of it.

    Args:
        source: one of hub:REPO[@REVISION], dir:PATH, meta:PATH, gguf:PATH, package:NAME, file:PATH, random:NAME.
        layers: indices, consecutive and ascending; negative ones count from the last layer.
        final_norm: also read the norm after the model's last layer.
        cache_dir: where layers from the hub are kept; default: ``$GEO_LM4VE_CACHE/blocks``, or
            ``~/.cache/geo_lm4ve/blocks``.
        seed: of the draw, for ``random:`` only.
        dtype: convert to it; None keeps the stored dtype (GGUF is dequantised to float32).
        meter: counts the bytes that were downloaded or read.

    Returns:
        Tensors in transformers' names, the config, and a reference whose fingerprint was taken from the tensors as
        stored, so it depends neither on ``dtype`` nor on ``final_norm`` nor on the file format.

    Raises:
        BlockError: unknown source, weights not at hand, or not whole; the message says what to do.
    """
    kind, colon, place = source.partition(":")
    if not colon or not place or kind not in KINDS:
        raise BlockError(f"unknown source of weights {source!r}; sources are\n  " + "\n  ".join(KINDS.values()))
    if kind == "random":
        from geo_lm4ve.blocks.architectures import random_layers

        return _converted(random_layers(place, layers, seed, final_norm), dtype)
    meter = meter or BytesRead()
    if kind == "hub":
        return _converted(hub_layers(place, layers, final_norm, cache_dir, meter), dtype)
    kind, path = _carried(place) if kind == "package" else (kind, Path(place).expanduser())
    return _converted(_local_layers(_LOCAL[kind](path), source, layers, final_norm, meter), dtype)


def _carried(name: str) -> tuple[str, Path]:
    """Kind and path of the file that a distribution carries; beside a config.json it is a transformers folder."""
    path = carried_file(name)
    if path.suffix == ".gguf":
        return "gguf", path
    return ("dir", path.parent) if (path.parent / "config.json").is_file() else ("file", path)


def _local_layers(
    checkpoint: Checkpoint, source: str, layers: Sequence[int], final_norm: bool, meter: BytesRead
) -> LayerWeights:
    """Layers out of something on this machine's disks."""
    weights = select_layers(checkpoint, source, layers, final_norm)
    if isinstance(checkpoint, ExtractedCheckpoint):
        checkpoint.verify(weights)
    meter.read += checkpoint.bytes_read
    return weights


def _converted(weights: LayerWeights, dtype: torch.dtype | None) -> LayerWeights:
    """The same weights in another dtype; the reference stays, it speaks of the stored ones."""
    if dtype is None:
        return weights
    layers = tuple({key: tensor.to(dtype) for key, tensor in layer.items()} for layer in weights.layers)
    norm = {key: tensor.to(dtype) for key, tensor in weights.final_norm.items()}
    return LayerWeights(weights.config, layers, norm, weights.reference)
