"""What every source of weights gives: names, a config, and tensors read one by one, never the whole model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.reading import json_object, reader


@dataclass
class BytesRead:
    """What reading cost.

    Attributes:
        downloaded: bytes of content received over the network, headers of files and all.
        read: bytes of weights taken from local files.
    """

    downloaded: int = 0
    read: int = 0


@runtime_checkable
class Checkpoint(Protocol):
    """A language model at rest. Opening one reads headers; only ``read`` touches weights.

    Attributes:
        place: where it lies, for messages.
        config: the model's configuration in the vocabulary of transformers' ``config.json``.
        names: every tensor's name, in transformers' vocabulary.
        bytes_read: bytes of weights (over the network: of everything) taken from the source so far.
    """

    place: str
    config: dict[str, Any]
    names: Collection[str]

    @property
    def bytes_read(self) -> int:
        """See above."""
        ...

    def read(self, names: Sequence[str]) -> dict[str, Tensor]:
        """These tensors in their stored dtype, and nothing else; BlockError when one cannot be read."""
        ...


@reader(BlockError, "a JSON object", "fetch it again", at="place")
def parse_json(text: str | bytes, place: str) -> dict[str, Any]:
    """A JSON object; BlockError naming the place when it is none."""
    return json_object(text)


@reader(BlockError, "a JSON object", "fetch it again")
def read_json(path: Path) -> dict[str, Any]:
    """A local JSON object; BlockError when the file is missing or damaged."""
    if not path.is_file():
        raise BlockError(f"{path.parent} has no {path.name}; is it the right folder?")
    return json_object(path.read_bytes())


@reader(BlockError, "an index of a checkpoint's shards", "fetch it again", at="place")
def weight_map(text: str | bytes, place: str) -> dict[str, str]:
    """From tensor name to shard file, out of a ``*.index.json``; shards must be plain file names."""
    shards = json_object(text).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise BlockError(f"{place} has no weight_map; fetch it again")
    for shard in set(shards.values()):
        if not isinstance(shard, str) or Path(shard).name != shard or shard in ("", ".."):
            raise BlockError(f"{place} names a shard {shard!r} outside its own folder, which is refused")
    return shards


def by_shard(names: Sequence[str], shards: dict[str, str]) -> dict[str, list[str]]:
    """Tensor names grouped by the file that holds them."""
    grouped: dict[str, list[str]] = {}
    for name in names:
        grouped.setdefault(shards[name], []).append(name)
    return grouped
