"""The scene cache on disk: shards of plain arrays with a manifest that says what they hold.

``<folder>/shard-00000.safetensors`` holds a ScenePack of up to 512 scenes, ``shard-00000.json`` beside it what it was
made of, and ``manifest.json``, written last, all shards. No pickles; every shard has its sha256.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from pathlib import Path

import safetensors.torch
from safetensors.torch import save_file

from geo_lm4ve.files import atomic_path, write_json
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.reading import Fields, json_object, reader
from geo_lm4ve.traffic.cache.contents import Steps
from geo_lm4ve.traffic.cache.pack import ScenePack, join_packs

FORMAT = 1
"""Version of the stored arrays: another version is built anew."""

SHARD = 512
"""Scenes per shard."""

KEEP = 2
"""Groups of shards in memory: a batch may fall between two."""

MANIFEST = "manifest.json"
_NAME = re.compile(r"shard-\d{5,}\.safetensors")
_AGAIN = "delete it and the cache is built again, or set data.cache to another folder"
_SHARD_AGAIN = f"delete it and {MANIFEST} beside it, they are then built again"


@dataclass(frozen=True)
class Dropped:
    """A scene that could not be read, and why."""

    scene: str
    reason: str


@dataclass(frozen=True)
class ShardRecord:
    """What one shard holds.

    Attributes:
        file: name of the shard.
        key: of the files it was made of.
        scenes: number of scenes.
        bytes: size of the file.
        sha256: of the file.
        dropped: scenes that could not be read.
        facts: counts worth saying: scenes without recording car, links of the map that lead nowhere, ...
    """

    file: str
    key: str
    scenes: int
    bytes: int
    sha256: str
    dropped: list[Dropped] = field(default_factory=list)
    facts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Fields) -> ShardRecord:
        """The record that ``asdict`` made plain; ValueError for anything else."""
        if not _NAME.fullmatch(file := values.text("file")):
            raise ValueError(f"{values.prefix}file is no name of a shard: {file!r:.60}")
        facts = values.fields("facts")
        return cls(
            file=file,
            key=values.text("key"),
            scenes=values.whole("scenes", 0, SHARD),
            bytes=values.whole("bytes"),
            sha256=values.text("sha256"),
            dropped=[Dropped(entry.text("scene"), entry.text("reason")) for entry in _entries(values, "dropped")],
            facts={fact: facts.whole(fact) for fact in facts.values},
        )


@dataclass(frozen=True)
class CacheManifest:
    """All shards of a split."""

    key: str
    shards: list[ShardRecord]
    format: int = FORMAT

    @property
    def scenes(self) -> int:
        """Scenes in all shards."""
        return sum(shard.scenes for shard in self.shards)

    @property
    def dropped(self) -> list[Dropped]:
        """All scenes that could not be read."""
        return [entry for shard in self.shards for entry in shard.dropped]

    @property
    def bytes_per_scene(self) -> float:
        """Mean size of a scene on disk."""
        return sum(shard.bytes for shard in self.shards) / max(self.scenes, 1)

    def facts(self) -> dict[str, int]:
        """Sums of the shards' facts."""
        names = sorted({name for shard in self.shards for name in shard.facts})
        return {name: sum(shard.facts.get(name, 0) for shard in self.shards) for name in names}

    def write(self, folder: Path) -> None:
        """Write ``manifest.json``: from now on the cache is complete."""
        write_json(folder / MANIFEST, asdict(self))


def read_cache_manifest(folder: Path) -> CacheManifest | None:
    """The manifest of a complete cache of this version, or None.

    Raises:
        DataError: the file is damaged.
    """
    path = folder / MANIFEST
    return _read_manifest(path) if path.is_file() else None


@reader(DataError, "the manifest of a scene cache", _AGAIN)
def _read_manifest(path: Path) -> CacheManifest | None:
    content = Fields(json_object(path.read_bytes()))
    if content["format"] != FORMAT:
        return None
    shards = [ShardRecord.of(shard) for shard in _entries(content, "shards")]
    if len({shard.file for shard in shards}) != len(shards):
        raise ValueError("it names a shard twice")
    return CacheManifest(content.text("key"), shards)


@reader(DataError, "the record of a shard of a scene cache", _AGAIN)
def read_record(path: Path) -> ShardRecord:
    """What ``shard-00000.json`` says of the shard beside it; DataError for anything else."""
    return ShardRecord.of(Fields(json_object(path.read_bytes())))


def _entries(holder: Fields, key: str) -> list[Fields]:
    """The mappings in a list."""
    entries = holder[key]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError(f"{holder.prefix}{key} is no list of mappings")
    return [Fields(entry, f"{holder.prefix}{key}.{place}.") for place, entry in enumerate(entries)]


def write_shard(path: Path, pack: ScenePack) -> tuple[int, str]:
    """Write a shard atomically; returns its size and sha256."""
    with atomic_path(path) as temporary:
        save_file(pack.arrays(), temporary)
        content = temporary.read_bytes()
    return len(content), hashlib.sha256(content).hexdigest()


@reader(DataError, "a shard of a scene cache", _SHARD_AGAIN)
def read_shard(path: Path, record: ShardRecord, steps: Steps | None = None, verify: bool = True) -> ScenePack:
    """Read a shard.

    Args:
        path: of the shard.
        record: what it holds.
        steps: of its scenes; None: any.
        verify: compare it with its checksum. What it holds is looked at either way.

    Raises:
        DataError: it is missing or damaged, or holds something else than the record says.
    """
    content = path.read_bytes()
    if verify and hashlib.sha256(content).hexdigest() != record.sha256:
        raise DataError(f"{path} does not match its checksum; {_SHARD_AGAIN}")
    pack = ScenePack.of_arrays(safetensors.torch.load(content), steps)
    if len(pack) != record.scenes:
        raise ValueError(f"it holds {len(pack)} scenes, its record says {record.scenes}")
    return pack


class Shards:
    """The shards of a cache, read together in groups; the groups used last are held in memory, ``KEEP`` of them.

    Threads that ask for the same group read it once: one at a time looks and reads.

    Args:
        folder: of the cache.
        manifest: of the cache.
        steps: of its scenes; None: any.

    Attributes:
        sizes: scenes of each shard.
    """

    def __init__(self, folder: Path, manifest: CacheManifest, steps: Steps | None = None):
        self.folder, self.records = folder, [shard for shard in manifest.shards if shard.scenes]
        self.steps = steps
        self.sizes = [record.scenes for record in self.records]
        self.loaded: OrderedDict[tuple[int, ...], ScenePack] = OrderedDict()
        self.verified: set[int] = set()
        self.lock = threading.Lock()

    def pack(self, *numbers: int) -> ScenePack:
        """Some shards as one pack, from memory or disk; checksums are verified when a shard is first read."""
        with self.lock:
            if numbers not in self.loaded:
                while len(self.loaded) >= KEEP:
                    self.loaded.popitem(last=False)
                self.loaded[numbers] = join_packs([self._read(number) for number in numbers])
            self.loaded.move_to_end(numbers)
            return self.loaded[numbers]

    def _read(self, number: int) -> ScenePack:
        record = self.records[number]
        pack = read_shard(self.folder / record.file, record, self.steps, number not in self.verified)
        self.verified.add(number)
        return pack
