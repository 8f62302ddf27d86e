"""Layers out of a local transformers folder; only the shards that hold them have to be there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources.checkpoint import by_shard, read_json, weight_map
from geo_lm4ve.blocks.sources.pickled import open_pickled
from geo_lm4ve.reading import reader

SINGLE = ("model.safetensors", "pytorch_model.bin")
INDEX = tuple(f"{name}.index.json" for name in SINGLE)


class DirectoryCheckpoint:
    """A Checkpoint over ``config.json`` and safetensors or ``.bin`` files, sharded or not; safetensors go first."""

    def __init__(self, folder: Path) -> None:
        """Read config and index; BlockError when they are missing or damaged."""
        self.place = f"dir:{folder}"
        self.bytes_read = 0
        self._folder = folder
        if not folder.is_dir():
            raise BlockError(f"no folder at {folder}; check the path after dir:")
        self.config: dict[str, Any] = read_json(folder / "config.json")
        self._shards = self._found_shards()
        self.names: Collection[str] = self._shards.keys()

    def _found_shards(self) -> dict[str, str]:
        for single, index in zip(SINGLE, INDEX):
            if (self._folder / index).is_file():
                return weight_map((self._folder / index).read_bytes(), str(self._folder / index))
            if (self._folder / single).is_file():
                return dict.fromkeys(tensor_names(self._folder / single), single)
        raise BlockError(f"{self._folder} holds none of {', '.join(SINGLE + INDEX)}; is it a transformers folder?")

    def absent_shards(self, names: Sequence[str]) -> list[str]:
        """Files that these tensors need and that are not on disk."""
        return sorted(shard for shard in by_shard(names, self._shards) if not (self._folder / shard).is_file())

    def read(self, names: Sequence[str]) -> dict[str, Tensor]:
        """These tensors, memory-mapped out of their shards."""
        if absent := self.absent_shards(names):
            raise BlockError(f"{self._folder} lacks {', '.join(absent)}, which hold the asked layers; put them there")
        tensors: dict[str, Tensor] = {}
        for shard, inside in by_shard(names, self._shards).items():
            tensors |= read_tensors(self._folder / shard, inside)
        self.bytes_read += sum(tensor.nbytes for tensor in tensors.values())
        return tensors


@reader(BlockError, "a file of tensors", "fetch it again")
def tensor_names(path: Path) -> list[str]:
    """Names of the tensors in one .safetensors or .bin file."""
    if path.suffix != ".safetensors":
        return list(open_pickled(path))
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return list(file.keys())


@reader(BlockError, "a file of tensors", "fetch it again")
def read_tensors(path: Path, names: Sequence[str]) -> dict[str, Tensor]:
    """Some tensors of one file; BlockError names the file, and the first of them that is not in it."""
    if path.suffix != ".safetensors":
        content = open_pickled(path)
        _require(names, content, path)
        return {name: content[name] for name in names}
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        _require(names, file.keys(), path)
        return {name: file.get_tensor(name) for name in names}


def _require(names: Sequence[str], present: Collection[str], path: Path) -> None:
    if missing := sorted(set(names) - set(present)):
        raise BlockError(f"{path} lacks {missing[0]}, which its index promises; fetch {path.name} again")
