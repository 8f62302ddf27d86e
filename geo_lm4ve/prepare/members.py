"""What an archive may hold: one value type for every format, names that stay inside a folder, limits, damage."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.reading import reading

CHUNK = 1 << 20
DEEPEST, LONGEST, LONGEST_PART = 64, 2048, 255
"""Folders in each other, bytes of a path, bytes of one component: what common file systems hold below a root."""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

OURS = (".unpacking-", ".unpacked-")
"""Names in the target folder that say how far an archive is: no archive may bring them along."""


@dataclass(frozen=True)
class Member:
    """A regular file or a folder of an archive.

    Attributes:
        name: as the archive has it.
        parts: components of its path below the target folder; () is that folder itself.
        size: bytes of content that the archive declares; exactly these are written.
        folder: whether it is a folder.
        end: byte behind it (of the unpacked tar, of the zip); ascends from member to member.
        key: what identifies it within its archive.
    """

    name: str
    parts: tuple[str, ...]
    size: int
    folder: bool
    end: int
    key: int


@dataclass(frozen=True)
class Limits:
    """How much an archive may become.

    Attributes:
        ratio: unpacked bytes by bytes of the archive. Deflate ends at 1032, data sets of text stay below 30.
        floor: bytes that any archive may become: small ones of one repeated line are no bombs.
        members: files and folders.
    """

    ratio: float = 200.0
    floor: int = 100_000_000
    members: int = 5_000_000

    def check(self, archive: Path, packed: int, unpacked: int) -> None:
        """DataError where ``packed`` bytes would become more than they may."""
        if unpacked > max(self.floor, self.ratio * packed):
            raise DataError(
                f"{archive} has {packed:,} bytes and becomes {unpacked:,} or more; more than {self.ratio:g} times its "
                f"size (and {self.floor:,} bytes) is taken for a bomb: do not trust this file"
            )


LIMITS = Limits()


class Seen:
    """The members so far: refuses too many, and two files of one name, whatever the file system takes for one."""

    def __init__(self, archive: Path, limits: Limits):
        self.archive, self.limits, self.count = archive, limits, 0
        self.files: set[bytes] = set()

    def add(self, member: Member) -> None:
        """Count a member; DataError where it is one too many."""
        self.count += 1
        if self.count > self.limits.members:
            raise DataError(f"{self.archive} has more than {self.limits.members:,} members: do not trust this file")
        if member.folder:
            return
        known = len(self.files)
        # 16 bytes instead of the path: half a million paths would take a hundred megabytes
        self.files.add(hashlib.blake2b(folded("/".join(member.parts)).encode(), digest_size=16).digest())
        if len(self.files) == known:
            raise DataError(
                f"{self.archive} has {shown(member.name)} twice, as file systems that ignore case or the composition "
                "of letters see it: unpack it by hand, decide which one is meant, and name the folder (--root, "
                "data.root)"
            )


def folded(name: str) -> str:
    """The same text for names that some file system takes for one."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def digest(name: str) -> str:
    """A short name for files beside a file of any name."""
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def shown(name: str) -> str:
    """A member's name for a message: escaped, and short."""
    return repr(name) if len(name) <= 200 else f"{name[:100]!r}...{name[-60:]!r}"


def parts_of(archive: Path, name: str, folder: bool) -> tuple[str, ...]:
    """Components of a member's path; DataError unless they stay below any folder, on any system, by name alone."""
    parts = tuple(part for part in name.removesuffix("/").split("/") if part != ".")
    if not parts and not folder:
        raise DataError(f"{archive} has a file {shown(name)} that is the target folder: do not trust this file")
    if _outside(name, parts):
        raise DataError(f"{archive} has a member {shown(name)} that points outside: do not trust this file")
    if parts and folded(parts[0]).startswith(OURS):
        raise DataError(
            f"{archive} has a member {shown(name)}, a name that says how far an archive is unpacked: do not trust it"
        )
    try:
        encoded = [part.encode() for part in parts]
    except UnicodeEncodeError as error:
        raise DataError(
            f"{archive} has a member {shown(name)} whose name is not UTF-8: unpack it by hand and name the folder "
            "(--root, data.root)"
        ) from error
    if CONTROL.search(name) or not all(encoded) or max(map(len, encoded), default=0) > LONGEST_PART:
        raise DataError(
            f"{archive} has a member {shown(name)}; components of a path have 1 to {LONGEST_PART} bytes and no "
            "control character: do not trust this file"
        )
    if len(parts) > DEEPEST or sum(map(len, encoded)) + len(parts) > LONGEST:
        raise DataError(
            f"{archive} has a member {shown(name)} of {len(parts)} components; a path has at most {DEEPEST}, and "
            f"{LONGEST} bytes: do not trust this file"
        )
    return parts


def _outside(name: str, parts: tuple[str, ...]) -> bool:
    """Absolute, with a drive, another system's separator, or a component that is dots (Windows drops blanks)."""
    if name.startswith("/") or "\\" in name or re.match("[A-Za-z]:", parts[0] if parts else ""):
        return True
    return any(part and not part.strip(". ") for part in parts)


def intact(archive: Path, place: str = "") -> AbstractContextManager[None]:
    """The guard of what reads an archive; ``place`` in it, where that is known."""
    where = f"{archive}, {shown(place)}" if place else archive
    return reading(where, DataError, "an intact archive", "delete it and fetch it again")
