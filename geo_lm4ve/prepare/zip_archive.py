"""Chosen files out of a zip archive, written whole or not at all."""

from __future__ import annotations

import filecmp
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from geo_lm4ve.files import DiskFullError
from geo_lm4ve.notice import progress
from geo_lm4ve.parts.data import DataError


def unzip(archive: Path, root: Path, wanted: str) -> list[Path]:
    """Take the members whose file name matches ``wanted`` out of ``archive`` into ``root``, without their folders.

    They are unpacked beside ``root`` first and moved in when all of them are whole.

    Args:
        archive: a zip file.
        root: target folder, made if needed; what lies there stays.
        wanted: regular expression that a whole file name must match.

    Raises:
        DataError: not a zip file, a damaged member, a member that points outside, no member or two of one name; a
            file of that name is in ``root`` with another content.
        DiskFullError: the files do not fit.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            zipfile.ZipFile(archive) as content,
            tempfile.TemporaryDirectory(dir=root.parent, prefix=".unpacking-") as work,
        ):
            members = _chosen(content, archive, wanted)
            _check_space(root, members)
            for member in progress(members, f"unpacking {archive.name}"):
                with content.open(member) as packed, (Path(work) / _name(member)).open("wb") as file:
                    shutil.copyfileobj(packed, file, 1 << 20)
            root.mkdir(parents=True, exist_ok=True)
            for member in members:
                _check_same(Path(work) / _name(member), root / _name(member), archive)
            return [(Path(work) / _name(member)).replace(root / _name(member)) for member in members]
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataError(f"{archive} is no intact zip archive ({error}); fetch it again") from error


def _chosen(content: zipfile.ZipFile, archive: Path, wanted: str) -> list[zipfile.ZipInfo]:
    members = [member for member in content.infolist() if not member.is_dir()]
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise DataError(f"{archive} has a member {member.filename!r} that points outside: do not trust this file")
    chosen = [member for member in members if re.fullmatch(wanted, _name(member))]
    names = [_name(member) for member in chosen]
    if not chosen or len(set(names)) < len(names):
        raise DataError(f"{archive} must hold each file named like {wanted} once, it holds {names or 'none'}")
    return chosen


def _name(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename.replace("\\", "/")).name


def _check_same(unpacked: Path, there: Path, archive: Path) -> None:
    """The user may have put it there: nothing of another content is written over."""
    if there.exists() and not filecmp.cmp(unpacked, there, shallow=False):
        raise DataError(
            f"{there} is not the {there.name} of {archive} and is left as it is: delete it if it is a damaged copy, or "
            "choose another folder by --root"
        )


def _check_space(root: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    needed, free = sum(member.file_size for member in members), shutil.disk_usage(root.parent).free
    if needed > free:
        raise DiskFullError(
            f"{root.parent.absolute()} has {free / 1e9:.2f} GB free, unpacking needs {needed / 1e9:.2f} GB; make room "
            "or choose another folder by --root"
        )
