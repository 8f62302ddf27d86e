"""Layers out of a Hugging Face repository: config, index, headers, and the byte ranges of the asked tensors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

from torch import Tensor

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources.checkpoint import by_shard, parse_json, weight_map
from geo_lm4ve.blocks.sources.directory import INDEX, SINGLE
from geo_lm4ve.blocks.sources.hub_repository import HubRepository
from geo_lm4ve.blocks.sources.remote_file import RemoteFile
from geo_lm4ve.blocks.sources.remote_zip import pickled_spans
from geo_lm4ve.blocks.sources.safetensors_header import safetensors_spans
from geo_lm4ve.blocks.sources.span import Span, merged
from geo_lm4ve.progress import Meter
from geo_lm4ve.reading import reader

SHOWN_FROM = 50_000_000
"""Bytes from which a download shows its progress."""


class HubCheckpoint:
    """A Checkpoint over a repository's safetensors or, failing those, ``.bin`` files."""

    def __init__(self, repository: HubRepository) -> None:
        """Fetch config and index; BlockError when the repository cannot be reached or holds no weights."""
        self._repository = repository
        self.place = repository.place
        self._files: dict[str, RemoteFile] = {}
        self._spans: dict[str, dict[str, Span]] = {}
        config = self._text("config.json")
        if config is None:
            raise BlockError(f"{self.place}: no config.json there (HTTP 404); check repository and revision")
        self.config: dict[str, Any] = parse_json(config, f"{self.place}/config.json")
        self._shards = self._found_shards()
        self.names: Collection[str] = self._shards.keys()

    @property
    def bytes_read(self) -> int:
        """Everything that came over the network."""
        return sum(file.received for file in self._files.values())

    def _file(self, name: str) -> RemoteFile:
        if name not in self._files:
            self._files[name] = self._repository.file(name)
        return self._files[name]

    def _text(self, name: str) -> bytes | None:
        try:
            return self._file(name).whole()
        except FileNotFoundError:
            return None

    def _found_shards(self) -> dict[str, str]:
        """From tensor name to file."""
        for single, index in zip(SINGLE, INDEX):
            if (text := self._text(index)) is not None:
                return weight_map(text, f"{self.place}/{index}")
            with contextlib.suppress(FileNotFoundError):
                return dict.fromkeys(self._shard_spans(single), single)
        raise BlockError(f"{self.place} holds none of {', '.join(SINGLE + INDEX)}; is it a transformers model?")

    def _shard_spans(self, shard: str) -> dict[str, Span]:
        if shard not in self._spans:
            file = self._file(shard)
            if shard.endswith(".safetensors"):
                file.head()  # FileNotFoundError where there is no such file
                self._spans[shard] = safetensors_spans(file)
            else:
                file.require()
                self._spans[shard] = pickled_spans(file)
        return self._spans[shard]

    def spans(self, names: Sequence[str]) -> dict[str, Span]:
        """Where these tensors lie in their shards; BlockError names a shard or a tensor that is not there."""
        found: dict[str, Span] = {}
        for shard, inside in by_shard(names, self._shards).items():
            try:
                held = self._shard_spans(shard)
            except FileNotFoundError:
                raise BlockError(
                    f"{self.place} lacks {shard}, which its index promises; try another revision"
                ) from None
            if missing := sorted(set(inside) - set(held)):
                raise BlockError(f"{self.place}/{shard} lacks {missing[0]}, which the index promises")
            found |= {name: held[name] for name in inside}
        return found

    def read(self, names: Sequence[str]) -> dict[str, Tensor]:
        """These tensors, and nothing else of the model; a bar shows the progress of a large download."""
        spans = self.spans(names)
        tensors: dict[str, Tensor] = {}
        total = sum(span.stop - span.start for span in spans.values())
        with Meter(self.place, total, unit="bytes", quiet=total < SHOWN_FROM, announced=True) as meter:
            for shard, inside in by_shard(names, self._shards).items():
                tensors |= _read_spans(self._file(shard), {name: spans[name] for name in inside}, meter.advance)
        return tensors


@reader(BlockError, "a file of tensors", "try another revision of the repository")
def _read_spans(file: RemoteFile, spans: dict[str, Span], advance: Callable[[int], None]) -> dict[str, Tensor]:
    """The tensors of one file, neighbours fetched together."""
    tensors: dict[str, Tensor] = {}
    names = {id(span): name for name, span in spans.items()}
    for group in merged(list(spans.values())):
        first, last = group[0].start, max(span.stop for span in group)
        block = memoryview(file.read(first, last, advance))
        for span in group:
            tensors[names[id(span)]] = span.tensor(block[span.start - first : span.stop - first])
    return tensors
