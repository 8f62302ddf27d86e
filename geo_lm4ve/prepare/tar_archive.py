"""Tar archives of whole data sets, unpacked where they are to stay; what an interrupted run began is done again."""

from __future__ import annotations

import tarfile
import time
import zlib
from pathlib import Path

from geo_lm4ve.files import write_text
from geo_lm4ve.notice import say
from geo_lm4ve.parts.data import DataError

LINE_EVERY = 30.0
"""Seconds between lines while a large archive is unpacked."""


def untar(archive: Path, root: Path) -> None:
    """Unpack ``archive`` into ``root``, unless a marker in ``root`` says that this was done.

    Members that point outside, links that do, and devices are refused (the ``data`` filter of ``tarfile``).

    Raises:
        DataError: not a tar archive, cut off, or with such a member.
    """
    marker = root / f".unpacked-{archive.name}"
    state = f"{archive.stat().st_size} bytes"
    if marker.is_file() and marker.read_text(encoding="utf-8") == state:
        say(f"{archive.name} is unpacked already")
        return
    say(f"unpacking {archive.name} into {root}")
    root.mkdir(parents=True, exist_ok=True)
    told = time.monotonic()
    try:
        with tarfile.open(archive, "r|*") as content:
            for count, member in enumerate(content, start=1):
                content.extract(member, root, filter="data")
                if time.monotonic() - told > LINE_EVERY:
                    told = time.monotonic()
                    say(f"unpacking {archive.name}: {count:,} files")
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(f"{archive} is no intact tar archive ({error}); delete it and fetch it again") from error
    write_text(marker, state)
