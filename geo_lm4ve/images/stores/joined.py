"""Several archives as one store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from geo_lm4ve.images.stores.archive import Archive


class JoinedStore:
    """See Store; each archive is a folder.

    Args:
        place: the folder of the archives.
        archives: by their names below it.
    """

    def __init__(self, place: Path, archives: Mapping[str, Archive]):
        self.place, self.archives = place, archives
        self._names = {f"{shard}/{name}": (shard, name) for shard, one in archives.items() for name in one.names()}

    def names(self) -> Sequence[str]:
        """See Store: archive by archive."""
        return list(self._names)

    def folders(self) -> Sequence[str]:
        """See Store."""
        return sorted([*self.archives, *(f"{shard}/{one}" for shard in self.archives for one in self._below(shard))])

    def read(self, name: str) -> bytes:
        """See Store."""
        shard, inside = self._names[name]
        return self.archives[shard].read(inside)

    def where(self, name: str) -> str:
        """See Store."""
        shard, inside = self._names[name]
        return self.archives[shard].where(inside)

    def stamp(self, names: Iterable[str]) -> Iterator[str]:
        """See Store."""
        for archive in self.archives.values():
            yield archive.stamped
        for name in names:
            shard, inside = self._names[name]
            entry = self.archives[shard].entries[inside]
            yield f"{name} {entry.start} {entry.size}"

    def _below(self, shard: str) -> Sequence[str]:
        return self.archives[shard].folders()
