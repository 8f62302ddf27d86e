"""A zip or tar archive as a store: its members are read in place, each by itself."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.images.stores.store import hidden, parents
from geo_lm4ve.prepare.members import LIMITS
from geo_lm4ve.prepare.zip_members import ZipMembers
from geo_lm4ve.reading import check_bytes, reader, reading

DEFLATE_MOST = 1032.0
"""How many times a deflated member can grow."""


class Entry(NamedTuple):
    """Where a member lies.

    Attributes:
        start: first byte of its content in the archive.
        packed: bytes of it there.
        size: bytes of it unpacked.
        deflated: whether it is compressed.
        check: its CRC-32; None where the archive has none.
    """

    start: int
    packed: int
    size: int
    deflated: bool = False
    check: int | None = None


class Archive:
    """See Store. A folder that all members lie in is left out of their names.

    Args:
        place: the archive.
        entries: its files by name.
        folders: names of its folders, as far as it lists them.
    """

    def __init__(self, place: Path, entries: dict[str, Entry], folders: Iterable[str] = ()):
        self.place = place
        shown = {name: entry for name, entry in entries.items() if not hidden(name)}
        self.top = _top(shown)
        self.entries = {name.removeprefix(self.top): shown[name] for name in sorted(shown)}
        below = {name.removeprefix(self.top) for name in folders if not hidden(name) and name + "/" != self.top}
        self._folders = sorted(below | parents(self.entries))
        self.stamped = _stamp(place)

    def names(self) -> Sequence[str]:
        """See Store."""
        return list(self.entries)

    def folders(self) -> Sequence[str]:
        """See Store."""
        return self._folders

    def read(self, name: str) -> bytes:
        """See Store."""
        entry = self.entries[name]
        with reading(self.where(name), DataError, "a member of an archive", "get the archive again"):
            check_bytes(entry.size, "it", stored=entry.packed, ratio=DEFLATE_MOST if entry.deflated else 1)
            with self.place.open("rb") as file:
                file.seek(entry.start)
                content = file.read(entry.packed)
            if entry.deflated:
                content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, entry.size + 1)
            if len(content) != entry.size or (entry.check is not None and zlib.crc32(content) != entry.check):
                raise ValueError("its checksum is another one, or it is cut off")
            return content

    def where(self, name: str) -> str:
        """See Store."""
        return f"{self.place}, {self.top}{name}"

    def stamp(self, names: Iterable[str]) -> Iterator[str]:
        """See Store."""
        yield self.stamped
        for name in names:
            yield f"{name} {self.entries[name].start} {self.entries[name].size}"


def _stamp(place: Path) -> str:
    status = place.stat()
    return f"{status.st_size} {status.st_mtime_ns}"


def _top(entries: dict[str, Entry]) -> str:
    """The folder that all of them lie in, with its slash; "" where there is none."""
    tops = {name.partition("/")[0] if "/" in name else "" for name in entries}
    return f"{tops.pop()}/" if len(tops) == 1 and "" not in tops else ""


@reader(DataError, "an intact zip archive", "get it again")
def open_zip(place: Path) -> Archive:
    """A zip whose members are stored or deflated; its directory is held against what lies in the file.

    Raises:
        DataError: it is damaged, has members of another kind, or names that a folder cannot have.
    """
    with place.open("rb") as file:
        found = ZipMembers(place, file, LIMITS)
        files = [(member, found.infos[member.key]) for member in found.listed()]
    plain = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if odd := [info.filename for member, info in files if not member.folder and info.compress_type not in plain]:
        raise DataError(f"{place} has {odd[0]} packed by another method than deflate; pack it again, or unpack it")
    entries = {
        "/".join(member.parts): Entry(
            member.end - info.compress_size, info.compress_size, member.size,
            info.compress_type == zipfile.ZIP_DEFLATED, info.CRC,
        )
        for member, info in files
        if not member.folder
    }  # fmt: skip
    return Archive(place, entries, ("/".join(member.parts) for member, _ in files if member.folder and member.parts))
