"""Members of a tar archive, compressed or not, in one pass; cut off archives are known by their missing end."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.prepare.members import CHUNK, Limits, Member, Seen, intact, parts_of, shown

BLOCK = tarfile.BLOCKSIZE
LONGEST_HEADER = 1 << 20
"""Bytes of an extended header; it holds a path and times."""

OTHERS = {
    tarfile.LNKTYPE: "hard link",
    tarfile.SYMTYPE: "symbolic link",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
    tarfile.FIFOTYPE: "pipe",
    tarfile.GNUTYPE_SPARSE: "sparse file",
    b"M": "part of a file in several archives",
}


class TarMembers:
    """Reads headers and content in the order of the archive.

    ``tarfile`` takes a header that is damaged or missing for the end of the archive, reads extended headers of any
    size into memory and keeps every member there; so only its parser of a single header is used.
    """

    def __init__(self, archive: Path, file: IO[bytes], limits: Limits):
        self.archive, self.file, self.limits = archive, file, limits
        self.size = archive.stat().st_size
        self.stream = _unpacked(file)
        self.offset = 0
        self.common: dict[str, str] = {}

    def listed(self) -> list[Member]:
        """Nothing is known of the members before they are read."""
        return []

    def members(self) -> Iterator[Member]:
        """Every member; its content is to be read, if at all, before the next one is asked for."""
        seen = Seen(self.archive, self.limits)
        while (member := self._next()) is not None:
            seen.add(member)
            yield member
            self._skip(member.end - self.offset)
        self._finish()

    def content(self, member: Member) -> Iterator[bytes]:
        """The ``member.size`` bytes of a member."""
        left = member.size
        while left:
            chunk = self._read(min(CHUNK, left), member.name)
            left -= len(chunk)
            yield chunk

    def _next(self) -> Member | None:
        """The next file or folder, None at the end of the archive."""
        own: dict[str, str] = {}
        while (block := self._read(BLOCK, "header")) != bytes(BLOCK):
            with intact(self.archive, f"header at byte {self.offset - BLOCK}"):
                header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            if header.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
                own |= self._records(header)
            elif header.type == tarfile.XGLTYPE:
                self.common |= self._records(header)
            elif header.type == tarfile.GNUTYPE_LONGNAME:
                own["path"] = self._extension(header).partition(b"\0")[0].decode("utf-8", "surrogateescape")
            elif header.type == tarfile.GNUTYPE_LONGLINK:
                self._extension(header)
            else:
                return self._member(header, self.common | own)
        return None

    def _member(self, header: tarfile.TarInfo, extended: dict[str, str]) -> Member:
        name, folder = extended.get("path", header.name), header.isdir()
        if any(key.startswith("GNU.sparse.") for key in extended):
            header.type = tarfile.GNUTYPE_SPARSE
        if not folder and header.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE):
            what = OTHERS.get(header.type, f"member of type {header.type!r}")
            raise DataError(
                f"{self.archive} has a {what}, {shown(name)}; only files and folders are unpacked: do so by hand, if "
                "you trust the archive, and name the folder (--root, data.root)"
            )
        with intact(self.archive, name):
            size = 0 if folder else int(extended.get("size", header.size))
            if size < 0:
                raise ValueError(f"a size of {size} bytes")
        end = self.offset + size + -size % BLOCK
        self._check(end, name)
        return Member(name, parts_of(self.archive, name, folder), size, folder, end, self.offset)

    def _records(self, header: tarfile.TarInfo) -> dict[str, str]:
        """Key and value of each record of a pax header: length, blank, key, ``=``, value, end of line."""
        content, records, place = self._extension(header), {}, 0
        with intact(self.archive, f"extended header at byte {self.offset}"):
            while place < len(content):
                space = content.index(b" ", place, place + 20)
                after = place + int(content[place:space])
                key, equals, value = content[space + 1 : after - 1].partition(b"=")
                if after <= space or not equals or content[after - 1 : after] != b"\n":
                    raise ValueError(f"bad record {content[place : place + 40]!r}")
                records[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
                place = after
        return records

    def _extension(self, header: tarfile.TarInfo) -> bytes:
        if not 0 <= header.size <= LONGEST_HEADER:
            raise DataError(
                f"{self.archive} has an extended header of {header.size:,} bytes at byte {self.offset:,}, allowed are "
                f"{LONGEST_HEADER:,}: do not trust this file"
            )
        content = self._read(header.size, "extended header")
        self._skip(-header.size % BLOCK)
        return content

    def _check(self, end: int, name: str) -> None:
        """What is declared must be there, and be no bomb, before anything of it is written."""
        if self.stream is self.file and end > self.size:
            with intact(self.archive, name):
                raise EOFError("cut off")
        self.limits.check(self.archive, self.size, end)

    def _read(self, count: int, place: str) -> bytes:
        """Exactly ``count`` bytes."""
        with intact(self.archive, place):
            data = self.stream.read(count)
            if len(data) < count:
                raise EOFError(f"cut off at byte {self.offset + len(data)}")
        self.offset += count
        return data

    def _skip(self, count: int) -> None:
        if self.stream is self.file:
            self.file.seek(count, 1)
            self.offset += count
            return
        while count:
            count -= len(self._read(min(CHUNK, count), "skipped member"))

    def _finish(self) -> None:
        """Read to the last byte, so that a compressed archive is checked whole; another archive is not passed over."""
        while True:
            with intact(self.archive, "behind the end"):
                rest = self.stream.read(CHUNK)
            if not rest:
                return
            self.offset += len(rest)
            self.limits.check(self.archive, self.size, self.offset)
            if any(rest[place : place + 5] == b"ustar" for place in range(257, len(rest), BLOCK)):
                raise DataError(
                    f"{self.archive} goes on with members behind its end, after byte {self.offset - len(rest):,}: "
                    "unpack it by hand (tar --ignore-zeros), if you trust it, and name the folder (--root, data.root)"
                )


def _unpacked(file: IO[bytes]) -> Any:
    """The stream in a compressed file, known by its first bytes; the file itself where there are none such."""
    first = file.read(6)
    file.seek(0)
    if first.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file, mode="rb")
    if first.startswith(b"BZh"):
        return bz2.BZ2File(file)
    return lzma.LZMAFile(file) if first == b"\xfd7zXZ\0" else file
