"""A folder as a store."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.images.stores.store import hidden
from geo_lm4ve.reading import check_bytes, reading


class FolderStore:
    """See Store. Links are followed, to folders too, but for those that lead to a folder above them."""

    def __init__(self, place: Path):
        """List what is there.

        Raises:
            DataError: a folder cannot be read.
        """
        self.place = place
        self._folders: list[str] = []
        with reading(place, DataError, "a folder of images", "make it readable"):
            self._names = sorted(self._walk("", ()))
        self._folders.sort()

    def names(self) -> Sequence[str]:
        """See Store."""
        return self._names

    def folders(self) -> Sequence[str]:
        """See Store."""
        return self._folders

    def read(self, name: str) -> bytes:
        """See Store."""
        path = self.place / name
        with reading(path, DataError, "a file of the data", "get it again"):
            check_bytes(path.stat().st_size, "it")
            return path.read_bytes()

    def where(self, name: str) -> str:
        """See Store."""
        return str(self.place / name)

    def stamp(self, names: Iterable[str]) -> Iterator[str]:
        """See Store."""
        for name in names:
            with reading(self.where(name), DataError, "a file of the data", "get it again"):
                status = (self.place / name).stat()
            yield f"{name} {status.st_size} {status.st_mtime_ns}"

    def _walk(self, below: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
        status = (self.place / below).stat()
        above = (*above, (status.st_dev, status.st_ino))
        with os.scandir(self.place / below) as entries:
            for entry in entries:
                name = f"{below}/{entry.name}" if below else entry.name
                if hidden(entry.name):
                    continue
                if not entry.is_dir():
                    yield name
                elif not entry.is_symlink() or _key(entry) not in above:
                    self._folders.append(name)
                    yield from self._walk(name, above)


def _key(entry: os.DirEntry[str]) -> tuple[int, int]:
    status = entry.stat()
    return status.st_dev, status.st_ino
