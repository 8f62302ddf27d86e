"""Where files are until they are whole: one folder in the target, with a note how far an interrupted run came."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import write_json
from geo_lm4ve.locks import lock
from geo_lm4ve.prepare.folder import Folder
from geo_lm4ve.prepare.members import Member, digest
from geo_lm4ve.reading import Fields, json_object, reader

NOTE = "done.json"
SECONDS_BETWEEN_NOTES = 5.0


def staging_name(archive: Path) -> str:
    """Name of the folder in the target: short, whatever the archive is called."""
    return f".unpacking-{digest(archive.name)}"


class Staging:
    """The folder ``.unpacking-…`` of one archive; use as a context manager.

    What a killed run left in it is deleted, a second run beside this one is refused. It goes when the work is done;
    after a failure the note stays, if there is something to go on from.

    A file counts as unpacked by an earlier run, and is not read again, if the note says that the archive was unpacked
    beyond it, its size is right, and nothing (not even its times, which ``ctime`` tells) was changed since the note.
    Every other file that is there already has to be compared with the archive.
    """

    def __init__(self, root: Folder, archive: Path):
        self.root, self.archive = root, archive
        self.name = staging_name(archive)
        self.done = self.noted = self.position = self.since = 0
        self.told = time.monotonic()

    def __enter__(self) -> Staging:
        """Take the folder for this run."""
        with contextlib.ExitStack() as stack:
            self.folder = self.root.enter(self.name)
            stack.callback(self.folder.close)
            self._lock()
            self.sweep(NOTE)
            self._read()
            self.opened = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the note after a failure, nothing after success."""
        with self.opened:
            if value is None or not (self.done or self.noted):
                self.sweep()
                self.root.drop(self.name)
                return
            self.sweep(NOTE)
            with contextlib.suppress(OSError):  # the failure itself is what the user has to know
                self._write()

    def sweep(self, *kept: str) -> None:
        """Delete the files of the folder but these."""
        for name in set(self.folder.names()) - set(kept):
            self.folder.remove(name)

    def trusts(self, member: Member, there: os.stat_result) -> bool:
        """Whether what lies there is known to be this member, without reading it."""
        changed = max(there.st_mtime_ns, there.st_ctime_ns)
        return member.end <= self.noted and there.st_size == member.size and changed < self.since

    def note(self, member: Member, position: int) -> None:
        """This member is in its place; the archive was read up to ``position``."""
        self.done, self.position = max(self.done, member.end), max(self.position, position)
        if time.monotonic() - self.told > SECONDS_BETWEEN_NOTES:
            self.told = time.monotonic()
            self._write()

    def _lock(self) -> None:
        """Held by the open handle, so that it ends with the process; file systems without locks go without."""
        if self.folder.handle is None:
            return
        try:
            lock(self.folder.handle)
        except BlockingIOError as error:
            raise DataError(
                f"another process unpacks {self.archive} into {self.root.path}: wait until it is done"
            ) from error

    def _about(self) -> list[int]:
        state = self.archive.stat()
        return [state.st_size, state.st_mtime_ns]

    def _write(self) -> None:
        """An older note that reaches farther stays: it is true of what was not changed since."""
        if self.done > self.noted:
            note = {"archive": self._about(), "done": self.done, "position": self.position}
            write_json(self.folder.path / NOTE, note)

    def _read(self) -> None:
        """A note that cannot be read, or is about another archive, says nothing: files are compared."""
        if (state := self.folder.state(NOTE)) is None:
            return
        try:
            with self.folder.open(NOTE) as file:
                about, done, position = _noted(file, self.folder.path / NOTE)
        except DataError:
            return
        if about == self._about():
            self.noted, self.position, self.since = done, position, state.st_mtime_ns


@reader(DataError, "a note on unpacking", at="path")
def _noted(file: IO[bytes], path: Path) -> tuple[Any, int, int]:
    """What an archive is known by, the byte up to which its members are unpacked, and where the reading stood."""
    note = Fields(json_object(file.read()))
    return note["archive"], note.whole("done"), note.whole("position")
