"""Prepared clouds on disk: HDF5 files in the layout of ModelNet40, each with a record of its rows beside it.

The record comes last: a file with one is whole. It says what the file was made of, so that a run that was killed goes
on from what is done, and one after a change of the files makes again what is concerned and nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import h5py
import numpy as np

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import atomic_path, checksum, write_json
from geo_lm4ve.points.prepare.listing import SPLITS, Item
from geo_lm4ve.points.prepare.sampled import Sampled, Unreadable
from geo_lm4ve.reading import Fields, json_object, reader

SHARD = 256
"""Files that become one HDF5 file, which a killed run loses at most."""


@dataclass(frozen=True)
class Row:
    """A cloud: its file, its class, the digest of its shape, and whether it has normals and colours."""

    file: str
    kind: str
    digest: str
    normals: bool
    colors: bool = False


@dataclass(frozen=True)
class Record:
    """What is known of an HDF5 file.

    Attributes:
        file: its name; "" where none of its files gave a cloud.
        key: of what it was made of.
        sha256: of its content.
        rows: its clouds in order.
        unreadable: the files that gave none.
    """

    file: str
    key: str
    sha256: str
    rows: tuple[Row, ...]
    unreadable: tuple[Unreadable, ...]

    def holds(self, folder: Path) -> bool:
        """Whether the HDF5 file lies in a folder as it was written."""
        path = folder / self.file
        return not self.rows or (path.is_file() and checksum(path) == self.sha256)


@dataclass(frozen=True)
class Shard:
    """Files of one split that become one HDF5 file.

    Attributes:
        path: of the HDF5 file; the record lies beside it, with the suffix ``.json``.
        items: the files.
        labels: of their classes.
        recipe: what else determines the clouds.
    """

    path: Path
    items: tuple[Item, ...]
    labels: tuple[int, ...]
    recipe: str

    @property
    def record_path(self) -> Path:
        """Of the record."""
        return self.path.with_suffix(".json")

    @property
    def key(self) -> str:
        """Digest of recipe, names, sizes and labels."""
        files = [(item.name, item.kind, label, _size(item)) for item, label in zip(self.items, self.labels)]
        return hashlib.sha256(json.dumps([self.recipe, files]).encode()).hexdigest()

    def finished(self) -> Record | None:
        """The record of an earlier run, if the file is still what it says, and was made of what is there now."""
        if not self.record_path.is_file():
            return None
        try:
            record = read_record(self.record_path)
        except DataError:  # damaged: made again
            return None
        made = self.record_path.stat().st_mtime_ns
        changed = any(_changed(item) > made for item in self.items)
        return None if changed or record.key != self.key or not record.holds(self.path.parent) else record

    def write(self, clouds: Iterable[Sampled | Unreadable]) -> Record:
        """The file out of its clouds, in the order of ``items``; then its record."""
        key, rows, kept, labels, unreadable = self.key, [], [], [], []
        for item, label, cloud in zip(self.items, self.labels, clouds, strict=True):
            if isinstance(cloud, Unreadable):
                unreadable.append(cloud)
                continue
            has = (cloud.normals is not None, cloud.colors is not None)
            rows.append(Row(item.name, item.kind, cloud.digest, *has))
            kept.append(cloud)
            labels.append(label)
        if kept:
            _write(self.path, kept, labels)
        name, digest = (self.path.name, checksum(self.path)) if kept else ("", "")
        record = Record(name, key, digest, tuple(rows), tuple(unreadable))
        write_json(self.record_path, asdict(record))
        return record


def shards(folder: Path, items: Sequence[Item], classes: Sequence[str], recipe: str) -> list[Shard]:
    """The files of both splits in pieces."""
    found = []
    label = {kind: number for number, kind in enumerate(classes)}
    for split in SPLITS:
        mine = [item for item in items if item.split == split]
        for number, start in enumerate(range(0, len(mine), SHARD)):
            piece = tuple(mine[start : start + SHARD])
            path = folder / f"ply_data_{split}{number}.h5"
            found.append(Shard(path, piece, tuple(label[item.kind] for item in piece), recipe))
    return found


def records(folder: Path) -> Iterator[tuple[str, Record]]:
    """(split, record) of every HDF5 file of a folder; DataError where one is damaged."""
    for split in SPLITS:
        for path in sorted(folder.glob(f"ply_data_{split}*.json")):
            yield split, read_record(path)


def known_shapes(folder: Path, items: Iterable[Item]) -> dict[str, str]:
    """Digests of shapes by name, of the files that gave a cloud of ``folder`` and were not changed since."""
    files = {item.name: item for item in items}
    known: dict[str, str] = {}
    for path in sorted(folder.glob("ply_data_*.json")):
        try:
            rows = read_record(path).rows
        except DataError:  # damaged: its files are read again
            continue
        made = path.stat().st_mtime_ns
        known |= {row.file: row.digest for row in rows if row.file in files and _changed(files[row.file]) <= made}
    return known


@reader(DataError, "a record of prepared clouds", "prepare the data again")
def read_record(path: Path) -> Record:
    """The record in a file."""
    fields = Fields(json_object(path.read_bytes()))
    rows = [Fields(row, f"rows.{place}.") for place, row in enumerate(_objects(fields, "rows"))]
    failed = [Fields(one, f"unreadable.{place}.") for place, one in enumerate(_objects(fields, "unreadable"))]
    name = fields.text("file")
    if name not in ("", path.with_suffix(".h5").name) or bool(name) != bool(rows):
        raise ValueError(f"file is {name!r:.60} with {len(rows)} rows")
    return Record(
        name, fields.text("key"), fields.text("sha256"),
        tuple(
            Row(
                row.text("file"), row.text("kind"), row.text("digest"), row["normals"] is True, row["colors"] is True
            )
            for row in rows
        ),
        tuple(Unreadable(one.text("name"), one.text("reason")) for one in failed),
    )  # fmt: skip


def _objects(fields: Fields, key: str) -> list[dict]:
    value = fields[key]
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError(f"{key} is no list of mappings")
    return value


def _size(item: Item) -> int:
    """Bytes; -1 where there are none to be reached, which reading will say."""
    try:
        return item.path.stat().st_size
    except OSError:
        return -1


def _changed(item: Item) -> int:
    """When a file was changed, in nanoseconds."""
    try:
        state = item.path.stat()
    except OSError:
        return 0
    return max(state.st_mtime_ns, state.st_ctime_ns)


def _write(path: Path, clouds: Sequence[Sampled], labels: Sequence[int]) -> None:
    held = {"normal": [cloud.normals for cloud in clouds], "color": [cloud.colors for cloud in clouds]}
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file["data"] = np.stack([cloud.points for cloud in clouds])
        file["label"] = np.array(labels, np.int64)[:, None]
        for name, arrays in held.items():
            known = [array for array in arrays if array is not None]
            if len(known) == len(clouds):
                file[name] = np.stack(known)
