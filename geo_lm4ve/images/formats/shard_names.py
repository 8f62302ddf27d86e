"""Which tar files a pattern means: ``*`` and ``?`` as a shell has them, ``{000000..000146}`` and ``{a,b}`` too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.found import natural
from geo_lm4ve.images.formats.listing import few

MOST = 100_000
"""Files that one pattern may mean."""
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def shard_files(root: Path, pattern: str) -> list[Path]:
    """The files below a folder that a pattern means, in natural order; what braces spell out, in theirs.

    Raises:
        DataError: it begins at the root of the system, or braces spell out files that are not there, or too many.
    """
    if Path(pattern).is_absolute():
        raise DataError(f"{pattern} is no name below data.root={root}: set data.root to its folder")
    if not _BRACES.search(pattern):
        return sorted(root.glob(pattern), key=natural) if pattern else []
    paths = []
    for name in _expanded(pattern):
        paths.append(root / name)
        if len(paths) > MOST:
            raise DataError(f"{pattern} means more than {MOST:,} files: make the numbers in braces smaller")
    if missing := [path.name for path in paths if not path.is_file()]:
        raise DataError(
            f"{pattern} means {len(paths):,} files, {len(missing):,} of them are not in {root}: {few(missing)}; get "
            "them, or change the pattern"
        )
    return paths


def _expanded(pattern: str) -> Iterator[str]:
    found = _BRACES.search(pattern)
    if found is None:
        yield pattern
        return
    for choice in _choices(found[1]):
        yield from _expanded(pattern[: found.start()] + choice + pattern[found.end() :])


def _choices(inside: str) -> Iterator[str]:
    numbers = _RANGE.fullmatch(inside)
    if numbers is None:
        yield from inside.split(",")
        return
    low, high = numbers.groups()
    width = len(low) if low.startswith("0") or len(low) == len(high) else 0
    yield from (str(number).zfill(width) for number in range(int(low), int(high) + 1))
