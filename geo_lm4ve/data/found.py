"""Which files are meant by what was given on a command line: folders are searched, every file counts once."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geo_lm4ve.files import said

KINDS = 6
"""Suffixes that are named where files are skipped."""


@dataclass(frozen=True)
class Found:
    """Files of one's own.

    Attributes:
        files: what to read, in the order in which it was given, that of a folder in natural order.
        left_out: "place: reason" of folders that hold nothing, or cannot be read.
        skipped: files of folders that are of another kind: suffix -> how many.
        links: links in folders that lead to folders; they are not followed.
    """

    files: Sequence[Path]
    left_out: Sequence[str] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    links: Sequence[Path] = ()

    def remark(self) -> str:
        """How many files were skipped, and links not followed; empty if none was."""
        return "; ".join(filter(None, (self._skipped(), self._links())))

    def _links(self) -> str:
        if not self.links:
            return ""
        named = ", ".join([*map(str, self.links[:KINDS]), *["…"] * (len(self.links) > KINDS)])
        return f"links to folders, not followed: {len(self.links):,} ({named})"

    def _skipped(self) -> str:
        if not self.skipped:
            return ""
        kinds = [f"{suffix or 'no suffix'}: {count:,}" for suffix, count in Counter(self.skipped).most_common(KINDS)]
        named = ", ".join(kinds + ["…"] * (len(self.skipped) > KINDS))
        return f"files of other kinds in folders, skipped: {sum(self.skipped.values()):,} ({named})"


def find(given: Sequence[Path], suffixes: Sequence[str]) -> Found:
    """Files as they were given, and those with the suffixes in folders and below.

    Hidden files and folders, and links to folders, are passed over.
    """
    files: list[Path] = []
    left_out: list[str] = []
    links: list[Path] = []
    skipped: Counter[str] = Counter()
    for place in given:
        if not is_folder(place):
            files.append(place)
            continue
        inside = _inside(place, left_out, links)
        wanted = [path for path in inside if path.suffix.lower() in suffixes]
        skipped.update(path.suffix.lower() for path in inside if path.suffix.lower() not in suffixes)
        if not wanted:
            left_out.append(f"{place}: no file in this folder, or below, ends in {' '.join(suffixes)}")
        files += wanted
    return Found(once(files), left_out, skipped, sorted(links, key=natural))


def _inside(folder: Path, left_out: list[str], links: list[Path]) -> list[Path]:
    """The files below a folder in natural order; folders that cannot be read, and links to folders, are added."""
    found = []

    def unread(error: OSError) -> None:
        left_out.append(f"{error.filename}: this folder cannot be read ({said(error)})")

    for place, folders, names in os.walk(folder, onerror=unread):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links += [path for name in folders if (path := Path(place, name)).is_symlink()]
        found += [Path(place, name) for name in names if not name.startswith(".")]
    return sorted(found, key=natural)


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; one that no file system takes does not."""
    try:
        return path.is_dir()
    except OSError:
        return False


def natural(path: Path) -> list[list[int | str]]:
    """Sort key under which ``train10`` follows ``train9``, folder by folder."""
    return [[int(one) if one.isdecimal() else one for one in re.split(r"(\d+)", part)] for part in path.parts]


def once(paths: Iterable[Path]) -> list[Path]:
    """The paths without those that lead to a file again, by another way through folders."""
    found: dict[str, Path] = {}
    for path in paths:
        found.setdefault(_place(path), path)
    return list(found.values())


def _place(path: Path) -> str:
    """A link has a name of its own, a folder on the way to it has not."""
    return os.path.realpath(path) if is_folder(path) else str(Path(os.path.realpath(path.parent), path.name))
