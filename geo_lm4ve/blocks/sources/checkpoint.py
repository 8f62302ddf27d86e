"""What every source of weights gives: names, a config, and tensors read one by one, never the whole model."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from geo_lm4ve.blocks.base import BlockError


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


def parse_json(text: str | bytes, place: str) -> dict[str, Any]:
    """A JSON object; BlockError naming the place when it is none."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise BlockError(f"{place} is not valid JSON ({error}); fetch it again") from error
    if not isinstance(value, dict):
        raise BlockError(f"{place} should hold a JSON object, it holds {type(value).__name__}; fetch it again")
    return value


def read_json(path: Path) -> dict[str, Any]:
    """A local JSON object; BlockError when the file is missing or damaged."""
    if not path.is_file():
        raise BlockError(f"{path.parent} has no {path.name}; is it the right folder?")
    return parse_json(path.read_bytes(), str(path))


def weight_map(text: str | bytes, place: str) -> dict[str, str]:
    """From tensor name to shard file, out of a ``*.index.json``; shards must be plain file names."""
    shards = parse_json(text, place).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise BlockError(f"{place} has no weight_map; fetch it again")
    for shard in set(shards.values()):
        if not isinstance(shard, str) or Path(shard).name != shard:
            raise BlockError(f"{place} names a shard {shard!r} outside its own folder, which is refused")
    return shards


def by_shard(names: Sequence[str], shards: dict[str, str]) -> dict[str, list[str]]:
    """Tensor names grouped by the file that holds them."""
    grouped: dict[str, list[str]] = {}
    for name in names:
        grouped.setdefault(shards[name], []).append(name)
    return grouped
