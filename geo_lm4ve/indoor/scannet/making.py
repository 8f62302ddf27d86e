"""Scans -> files of rooms, one by one or in several processes; what an earlier run has finished stays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import UserError, WriteError, checksum
from geo_lm4ve.indoor.scannet.labels import LabelMap
from geo_lm4ve.indoor.scannet.scan import POINTS, Facts, ScanFiles, read_scan
from geo_lm4ve.indoor.stored.folder import room_file
from geo_lm4ve.indoor.stored.room_file import RoomRecord, read_record, read_room, write_room
from geo_lm4ve.prepare.processes import processes
from geo_lm4ve.progress import Meter
from geo_lm4ve.reading import Fields

WORTH_PROCESSES = 16
"""Scans for which it pays to start processes, which takes seconds."""
VERSION = 1
"""Raise it when the same files give other rooms."""


@dataclass(frozen=True)
class Recipe:
    """What determines a room beside the files of its scan.

    Attributes:
        labels: what the annotators' words mean.
        points: kept at most.
        multiview: HDF5 file of image features; None: none.
    """

    labels: LabelMap
    points: int = POINTS
    multiview: Path | None = None

    def content(self) -> dict[str, object]:
        """The recipe as JSON has it; a file by its content."""
        words = json.dumps(dict(self.labels.classes), sort_keys=True)
        return {
            "points": self.points, "labels": self.labels.source,
            "words": hashlib.sha256(words.encode()).hexdigest()[:16],
            "multiview": None if self.multiview is None else checksum(self.multiview)[:16], "version": VERSION,
        }  # fmt: skip


@dataclass(frozen=True)
class Made:
    """What became of a scan.

    Attributes:
        name: of the scan.
        facts: of it; None: it could not be made a room.
        reason: why.
        bytes: of its file.
    """

    name: str
    facts: Facts | None
    reason: str = ""
    bytes: int = 0


@dataclass(frozen=True)
class Making:
    """How the rooms of a folder are made.

    Attributes:
        root: the prepared folder.
        scans: folder with a folder for each scan.
        recipe: what determines the rooms.
        content: of the recipe, which may take a while to find out.
    """

    root: Path
    scans: Path
    recipe: Recipe
    content: dict[str, object]

    def all(self, names: Sequence[str], workers: int) -> dict[str, Made]:
        """All scans, by name; those that an earlier run has made of the same files are left as they are.

        Raises:
            DataError: a process was ended, as by the system where memory is short.
            WriteError: the disk is full, or may not be written.
        """
        found = {name: made for name in names if (made := self.finished(name))}
        todo = [name for name in names if name not in found]
        failed, label = 0, f"rooms of {self.scans}"
        with Meter(label, len(names), unit="scans", done=len(found), announced=True) as meter:
            for made in self._made(todo, workers):
                found[made.name] = made
                failed += made.facts is None
                meter.advance(1, f"{failed:,} failed" if failed else "")
        return {name: found[name] for name in names}

    def one(self, name: str) -> Made:
        """One scan: read, and written."""
        files, path = ScanFiles(self.scans, name), room_file(self.root, name)
        if not files.mesh.parent.is_dir():
            return Made(name, None, f"there is no folder {files.mesh.parent}")
        try:
            key = self.key(files)
            room, facts = read_scan(files, self.recipe.labels, self.recipe.points, self.recipe.multiview)
        except WriteError:
            raise
        except UserError as error:
            return Made(name, None, str(error))
        write_room(path, room, RoomRecord(key, asdict(facts)))
        return Made(name, facts, bytes=path.stat().st_size)

    def key(self, files: ScanFiles) -> str:
        """Of what a room is made of: the recipe, and which files lie there."""
        there = [(path.name, *_state(path)) for path in files.all]
        return hashlib.sha256(json.dumps([self.content, there]).encode()).hexdigest()

    def finished(self, name: str) -> Made | None:
        """What an earlier run has made of the same files; None where it must be made (again)."""
        path = room_file(self.root, name)
        if not path.is_file():
            return None
        try:
            record = read_record(path)
            facts = facts_of(record)
        except (DataError, ValueError):  # damaged: made again
            return None
        same = record.key == self.key(ScanFiles(self.scans, name)) and _whole(path)
        return Made(name, facts, bytes=path.stat().st_size) if same else None

    def _made(self, names: Sequence[str], workers: int) -> Iterator[Made]:
        if workers < 2 or len(names) < WORTH_PROCESSES:
            yield from map(self.one, names)
            return
        with processes(min(workers, len(names)), "scans") as pool:
            for job in as_completed([pool.submit(self.one, name) for name in names]):
                yield job.result()


def facts_of(record: RoomRecord) -> Facts:
    """The facts in the record of a room; ValueError for anything else."""
    fields = Fields(record.facts, "facts.")
    unmapped = fields.fields("unmapped")
    return Facts(
        fields.whole("vertices"), fields["aligned"] is True, fields["annotated"] is True,
        {label: unmapped.whole(label) for label in unmapped.values},
    )  # fmt: skip


def _whole(path: Path) -> bool:
    """Whether a room can still be read."""
    try:
        read_room(path)
    except DataError:
        return False
    return True


def _state(path: Path) -> tuple[int, int]:
    """Size and time of a file, (-1, 0) where there is none."""
    if not path.is_file():
        return -1, 0
    state = path.stat()
    return state.st_size, state.st_mtime_ns
