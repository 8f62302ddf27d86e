"""Only the asked layers of a language model, never the model: one entry for every kind of source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from geo_lm4ve.blocks.base import BlockError, BlockReference, LayerWeights
from geo_lm4ve.blocks.fingerprint import fingerprint
from geo_lm4ve.blocks.sources.checkpoint import Checkpoint
from geo_lm4ve.blocks.sources.checks import check_layer, check_values
from geo_lm4ve.blocks.sources.layout import depth, find_layout, indices, language_config

KINDS = {
    "hub": "hub:REPO[@REVISION], a Hugging Face repository (only the layers' bytes are fetched)",
    "dir": "dir:PATH, a local transformers folder with config.json and safetensors or .bin",
    "meta": "meta:PATH, Meta's LLaMA folder with params.json and consolidated.*.pth",
    "gguf": "gguf:PATH, a GGUF file",
    "package": "package:NAME, an installed distribution that carries a GGUF or safetensors file",
    "file": "file:PATH, layers written by tools/extract_block.py",
    "random": "random:ARCHITECTURE, freshly drawn weights",
}


def load_layers(
    source: str,
    layers: Sequence[int] = (-1,),
    *,
    final_norm: bool = False,
    cache_dir: Path | None = None,
    seed: int = 0,
    dtype: torch.dtype | None = None,
) -> LayerWeights:
    """Consecutive decoder layers of a language model, without reading the rest of it.

    Args:
        source: one of hub:REPO[@REVISION], dir:PATH, meta:PATH, gguf:PATH, package:NAME, file:PATH, random:NAME.
        layers: indices, consecutive and ascending; negative ones count from the last layer.
        final_norm: also read the norm after the model's last layer.
        cache_dir: where layers from the hub are kept; default: environment variable GEO_LM4VE_CACHE, or
            ``~/.cache/geo_lm4ve/blocks``.
        seed: of the draw, for ``random:`` only.
        dtype: convert to it; None keeps the stored dtype (GGUF is dequantised to float32).

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
    return _converted(_taken(_opened(kind, place), source, layers, final_norm), dtype)


def _opened(kind: str, place: str) -> Checkpoint:
    """The checkpoint behind a source."""
    if kind == "package":
        from geo_lm4ve.blocks.sources.package import carried_file

        path = carried_file(place)
        return _opened({".gguf": "gguf", ".safetensors": "file"}[path.suffix], str(path))
    if kind == "gguf":
        from geo_lm4ve.blocks.sources.gguf import GGUFCheckpoint

        return GGUFCheckpoint(Path(place).expanduser())
    raise BlockError(f"{kind}: is not readable yet")


def _taken(checkpoint: Checkpoint, source: str, layers: Sequence[int], final_norm: bool) -> LayerWeights:
    """The asked layers of an open checkpoint, checked and fingerprinted."""
    config = language_config(checkpoint.config)
    wanted = indices(layers, depth(config, checkpoint.place), checkpoint.place)
    layout = find_layout(checkpoint.names, wanted, checkpoint.place)
    if final_norm and not layout.final_norm:
        raise BlockError(f"{checkpoint.place} holds no final norm; ask without it (final_norm=False)")
    norm_names = layout.final_norm if final_norm else {}
    names = [name for keys in layout.layers.values() for name in keys.values()]
    tensors = checkpoint.read([*names, *norm_names.values()])
    taken = tuple({key: tensors[name] for key, name in keys.items()} for keys in layout.layers.values())
    norm = {key: tensors[name] for key, name in norm_names.items()}
    for index, layer in zip(wanted, taken):
        check_layer(layer, config, f"{checkpoint.place}, layer {index}")
    for key, tensor in norm.items():
        check_values(tensor, f"{checkpoint.place}, final norm {key}")
    return LayerWeights(config, taken, norm, BlockReference(source, wanted, fingerprint(taken)))


def _converted(weights: LayerWeights, dtype: torch.dtype | None) -> LayerWeights:
    """The same weights in another dtype; the reference stays, it speaks of the stored ones."""
    if dtype is None:
        return weights
    layers = tuple({key: tensor.to(dtype) for key, tensor in layer.items()} for layer in weights.layers)
    norm = {key: tensor.to(dtype) for key, tensor in weights.final_norm.items()}
    return LayerWeights(weights.config, layers, norm, weights.reference)
