"""Members of a zip archive: its directory is compared with what lies in the file before anything is unpacked."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.prepare.members import CHUNK, Limits, Member, Seen, intact, parts_of, shown

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
ENCRYPTED = 0x1 | 0x40 | 0x2000
LOCAL = struct.Struct("<4s22xHH")
"""Header before the content of a member: signature, bytes of the name and of the extra field behind it."""


class ZipMembers:
    """Reads members in the order in which they lie in the file."""

    def __init__(self, archive: Path, file: IO[bytes], limits: Limits):
        self.archive, self.file, self.limits = archive, file, limits
        self.size = archive.stat().st_size
        with intact(archive):
            self.zip = zipfile.ZipFile(file)
        self.infos = {info.header_offset: info for info in self.zip.infolist()}
        self.found = self._checked()

    def listed(self) -> list[Member]:
        """Every member."""
        return self.found

    def members(self) -> Iterator[Member]:
        """Every member."""
        yield from self.found

    def content(self, member: Member) -> Iterator[bytes]:
        """The ``member.size`` bytes of a member; DataError where there are fewer, or its checksum is another."""
        left = member.size
        with intact(self.archive, member.name):
            packed = self.zip.open(self.infos[member.key])
        with packed:
            while True:
                with intact(self.archive, member.name):
                    chunk = packed.read(CHUNK)
                    left -= len(chunk)
                    if left < 0 or (left and not chunk):
                        raise EOFError(f"not the {member.size} bytes that are declared")
                if not chunk:
                    return
                yield chunk

    def _checked(self) -> list[Member]:
        seen, found, before = Seen(self.archive, self.limits), [], 0
        for info in sorted(self.zip.infolist(), key=lambda info: info.header_offset):
            if info.header_offset < before:
                raise DataError(
                    f"{self.archive} has members that overlap, {shown(info.orig_filename)} lies in another one: do not "
                    "trust this file"
                )
            before = self._end(info)
            self._refuse(info)
            found.append(self._member(info, before))
            seen.add(found[-1])
        self.limits.check(self.archive, self.size, sum(member.size for member in found))
        return found

    def _end(self, info: zipfile.ZipInfo) -> int:
        """Byte behind a member, by the header that lies before its content."""
        with intact(self.archive, info.orig_filename):
            self.file.seek(info.header_offset)
            signature, name, extra = LOCAL.unpack(self.file.read(LOCAL.size))
            end: int = info.header_offset + LOCAL.size + name + extra + info.compress_size
            if signature != b"PK\3\4" or end > self.size:
                raise EOFError("its content is not where it is declared")
        return end

    def _refuse(self, info: zipfile.ZipInfo) -> None:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.flag_bits & ENCRYPTED:
            what = "an encrypted member"
        elif info.compress_type not in METHODS:
            what = f"a member packed by method {info.compress_type}, which is unknown here"
        elif info.create_system == 3 and kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            what = "a symbolic link" if kind == stat.S_IFLNK else "a device or pipe"
        else:
            return
        raise DataError(
            f"{self.archive} has {what}, {shown(info.orig_filename)}; only plain files and folders are unpacked: do so "
            "by hand, if you trust the archive, and name the folder (--root, data.root)"
        )

    def _member(self, info: zipfile.ZipInfo, end: int) -> Member:
        # the name as it is in the file too: ``filename`` ends at a zero byte
        parts_of(self.archive, info.orig_filename, info.is_dir())
        parts = parts_of(self.archive, info.filename, info.is_dir())
        size = 0 if info.is_dir() else info.file_size
        return Member(info.orig_filename, parts, size, info.is_dir(), end, info.header_offset)
