"""Layers in one small file: what tools/extract_block.py writes, and what the hub cache consists of.

The file is plain safetensors. Tensors are named ``layers.31.self_attn.q_proj.weight`` and ``final_norm.weight``; the
header's metadata holds the config, the layers' indices, where they came from, and their fingerprint.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from geo_lm4ve.blocks.base import BlockError, BlockReference, LayerWeights
from geo_lm4ve.blocks.fingerprint import fingerprint
from geo_lm4ve.blocks.sources.directory import read_tensors, tensor_names
from geo_lm4ve.blocks.sources.layout import find_layout, of_images
from geo_lm4ve.files import atomic_path
from geo_lm4ve.invocation import command
from geo_lm4ve.reading import Fields, json_object, reader

_FORMAT = "geo_lm4ve layers 1"


def write_layers(path: Path | str, weights: LayerWeights) -> None:
    """Write layers (in the dtype they have) to one safetensors file, whole or not at all.

    Raises:
        BlockError: the weights' dtype was narrowed after their fingerprint was taken, so that a reader would refuse
            the file.
        DiskFullError: no space; nothing half-written is left.
    """
    from safetensors.torch import save_file

    if fingerprint(weights.layers) != weights.reference.sha256:
        raise BlockError(f"{path}: these layers are not as their source stores them; load them with dtype=None")
    layers = weights.reference.layers
    tensors = {f"layers.{i}.{key}": t for i, layer in zip(layers, weights.layers) for key, t in layer.items()}
    tensors |= {f"final_norm.{key}": tensor for key, tensor in weights.final_norm.items()}
    metadata = {
        "format": "pt",
        "content": _FORMAT,
        "config": json.dumps(weights.config),
        "layers": json.dumps(layers),
        "source": weights.reference.source,
        "sha256": weights.reference.sha256,
    }
    with atomic_path(path) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary, metadata=metadata)


class ExtractedCheckpoint:
    """A Checkpoint over one extracted file.

    Attributes:
        origin: reference under which the layers were written: the first source, all indices, the fingerprint.
    """

    @reader(BlockError, "a file of extracted layers", "write it again with tools/extract_block.py")
    def __init__(self, path: Path) -> None:
        """Read the header; BlockError when the file is missing, damaged or not one of ours."""
        self.place = f"file:{path}"
        self.bytes_read = 0
        self._path = path
        if not path.is_file():
            raise BlockError(f"no file at {path}; write it with `{command('extract-block')} SOURCE --out {path}`")
        self.names: Collection[str] = tensor_names(path)
        metadata = self._metadata()
        self.config: dict[str, Any] = json_object(metadata["config"])
        layers = Fields({"layers": json.loads(metadata["layers"])}).wholes("layers")
        self.origin = BlockReference(metadata["source"], tuple(layers), metadata["sha256"])

    def _metadata(self) -> dict[str, str]:
        from safetensors import safe_open

        with safe_open(self._path, "pt") as file:
            metadata = file.metadata() or {}
        if metadata.get("content") != _FORMAT:
            raise BlockError(
                f"{self._path} was not written by tools/extract_block.py (no {_FORMAT!r} in its header); "
                "for a transformers folder use dir:FOLDER"
            )
        return metadata

    def read(self, names: Sequence[str]) -> dict[str, Tensor]:
        """These tensors, memory-mapped."""
        tensors = read_tensors(self._path, names)
        self.bytes_read += sum(tensor.nbytes for tensor in tensors.values())
        return tensors

    @reader(BlockError, "a file of extracted layers", "write it again with tools/extract_block.py", at="self")
    def verify(self, taken: LayerWeights) -> None:
        """Compare with the fingerprint in the header; BlockError when a bit has changed since it was written."""
        found = taken.reference.sha256 if taken.reference.layers == self.origin.layers else self._whole_fingerprint()
        if found != self.origin.sha256:
            raise BlockError(
                f"{self._path} is damaged: its layers have fingerprint {found[:12]}…, but were written as "
                f"{self.origin.sha256[:12]}…; write it again from {self.origin.source}"
            )

    def _whole_fingerprint(self) -> str:
        layout = find_layout(self.names, self.origin.layers, self.place, images=of_images(self.config))
        return fingerprint(layout.by_layer(read_tensors(self._path, layout.names)))
