"""Tar archives of whole data sets, unpacked where they are to stay; an interrupted run is taken up again."""

from __future__ import annotations

import os
import tarfile
import time
import zlib
from pathlib import Path

from geo_lm4ve.files import write_text
from geo_lm4ve.notice import say
from geo_lm4ve.parts.data import DataError

CHUNK = 1 << 20

LINE_EVERY = 30.0
"""Seconds between lines while a large archive is unpacked."""


def untar(archive: Path, root: Path) -> None:
    """Unpack ``archive`` into ``root``, unless a marker in ``root`` says that this was done.

    Every file is whole or absent, and one that is there already stays: it must be what the archive has. Members that
    point outside, links that do, and devices are refused (the ``data`` filter of ``tarfile``).

    Raises:
        DataError: not a tar archive, cut off, or with such a member; a file is there with another content.
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
                _extract(content, tarfile.data_filter(member, str(root)), root, archive)
                if time.monotonic() - told > LINE_EVERY:
                    told = time.monotonic()
                    say(f"unpacking {archive.name}: {count:,} files")
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(f"{archive} is no intact tar archive ({error}); delete it and fetch it again") from error
    write_text(marker, state)


def _extract(content: tarfile.TarFile, member: tarfile.TarInfo, root: Path, archive: Path) -> None:
    path = root / member.name
    if not member.isfile():
        if not os.path.lexists(path):
            content.extract(member, root, filter="data")
        return
    if os.path.lexists(path):
        if not _same(content, member, path):
            raise DataError(
                f"{path} is not the {member.name} of {archive} and is left as it is: delete it if an interrupted run "
                "left it, or choose another folder by --root"
            )
        return
    temporary = path.with_name(f".{path.name}.unpacking")
    content.extract(member.replace(name=temporary.relative_to(root).as_posix()), root, filter="data")
    temporary.replace(path)


def _same(content: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> bool:
    if not path.is_file() or (packed := content.extractfile(member)) is None:
        return False
    with path.open("rb") as there:
        while chunk := packed.read(CHUNK):
            if there.read(len(chunk)) != chunk:
                return False
        return not there.read(1)
