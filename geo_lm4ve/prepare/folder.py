"""Open folders: what is done in them goes by single names below a handle, so that no link leads elsewhere."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from geo_lm4ve.data.errors import DataError

HANDLES = {os.open, os.mkdir, os.stat, os.unlink, os.rename, os.rmdir} <= os.supports_dir_fd
"""Whether folders have handles (not on Windows); where they have none, each is looked at before it is entered."""

NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class Folder:
    """A folder and its handle; every name is one component."""

    def __init__(self, path: Path, handle: int | None):
        self.path, self.handle = path, handle

    def enter(self, name: str) -> Folder:
        """The folder ``name`` in this one, made if needed; DataError where it is a link or a file."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(self._at(name), dir_fd=self.handle)
        path = self.path / name
        if (there := self.state(name)) is None or not stat.S_ISDIR(there.st_mode):
            raise DataError(
                f"{path} is no folder, the archive has one there; links are not followed: move it away, or choose "
                "another folder by --root"
            )
        flags = os.O_RDONLY | NO_LINK | getattr(os, "O_DIRECTORY", 0)
        return Folder(path, None if self.handle is None else os.open(name, flags, dir_fd=self.handle))

    def state(self, name: str) -> os.stat_result | None:
        """What lies under a name, a link itself; None if nothing does."""
        try:
            return os.stat(self._at(name), dir_fd=self.handle, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def create(self, name: str) -> IO[bytes]:
        """A new file for writing."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK
        return os.fdopen(os.open(self._at(name), flags, 0o666, dir_fd=self.handle), "wb")

    def open(self, name: str) -> IO[bytes]:
        """A file for reading."""
        return os.fdopen(os.open(self._at(name), os.O_RDONLY | NO_LINK, dir_fd=self.handle), "rb")

    def move(self, name: str, folder: Folder, new: str) -> None:
        """Rename a file of this folder into another one."""
        os.rename(self._at(name), folder._at(new), src_dir_fd=self.handle, dst_dir_fd=folder.handle)

    def remove(self, name: str) -> None:
        """Delete a file."""
        os.unlink(self._at(name), dir_fd=self.handle)

    def drop(self, name: str) -> None:
        """Delete an empty folder."""
        os.rmdir(self._at(name), dir_fd=self.handle)

    def names(self) -> list[str]:
        """What lies in it."""
        with os.scandir(self.path if self.handle is None else self.handle) as entries:
            return [entry.name for entry in entries]

    def close(self) -> None:
        """Give the handle back."""
        if self.handle is not None:
            os.close(self.handle)

    def _at(self, name: str) -> str:
        return name if self.handle is not None else str(self.path / name)


class Tree:
    """A target folder and the folders below it, the last ones kept open; use as a context manager.

    Args:
        root: made if needed, and deleted again on a failure that leaves nothing in it. It may be a link: the user
            chose it.
    """

    def __init__(self, root: Path):
        self.made = not root.exists()
        root.mkdir(parents=True, exist_ok=True)
        self.root = Folder(root, os.open(root, os.O_RDONLY) if HANDLES else None)
        self.inner: list[tuple[str, Folder]] = []

    def __enter__(self) -> Tree:
        """The tree itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give all handles back."""
        self._leave(0)
        self.root.close()
        if value is not None and self.made:
            with contextlib.suppress(OSError):  # something lies in it: it stays
                self.root.path.rmdir()

    def at(self, parts: Sequence[str]) -> Folder:
        """The folder at a path below the root, made if needed; it is open until another one is asked for."""
        common = 0
        for (name, _), part in zip(self.inner, parts, strict=False):
            if name != part:
                break
            common += 1
        self._leave(common)
        for part in parts[common:]:
            self.inner.append((part, self._last().enter(part)))
        return self._last()

    def _last(self) -> Folder:
        return self.inner[-1][1] if self.inner else self.root

    def _leave(self, kept: int) -> None:
        while len(self.inner) > kept:
            self.inner.pop()[1].close()
