"""Zip and tar archives of data sets: unpacked whole where they are to stay, or chosen files of them without folders.

Nothing is written outside the target folder, through a link, over a file that is there, or in part; how far a name, a
link or a size of a hostile archive gets is settled here and not by the version of Python.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TypeAlias

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import DiskFullError, UserError, write_text
from geo_lm4ve.notice import say
from geo_lm4ve.prepare.folder import Folder, Tree
from geo_lm4ve.prepare.members import CHUNK, LIMITS, LONGEST_PART, Limits, Member, digest, folded, intact
from geo_lm4ve.prepare.staging import Staging, staging_name
from geo_lm4ve.prepare.tar_members import TarMembers
from geo_lm4ve.prepare.zip_members import ZipMembers
from geo_lm4ve.progress import Meter
from geo_lm4ve.reading import reader

Packed: TypeAlias = TarMembers | ZipMembers

WORK = "part"
"""Name of the file that is being written; several, which are moved in together, are numbers."""


@reader(DataError, "an intact archive", "delete it and fetch it again")
def unpack(archive: Path, root: Path, limits: Limits = LIMITS) -> None:
    """Unpack ``archive`` into ``root``, unless a marker in ``root`` says that this was done.

    Every file is whole or absent, and one that is there already stays: it must be what the archive has. Modes, owners
    and times of the archive do not matter. An interrupted run is taken up again.

    Raises:
        DataError: no intact zip or tar archive, one with links, devices, encrypted or unknown members, names that lead
            outside or occur twice, or that becomes more than ``limits``; another file is in the place of one.
        DiskFullError: the files do not fit.
    """
    marker = root / _marker(archive)
    state = f"{_existing(archive).stat().st_size} bytes"
    if marker.is_file() and marker.read_text(encoding="utf-8") == state:
        say(f"{archive.name} is unpacked already")
        _tidy(archive, root)
        return
    with _unpacking(archive, root, limits) as (packed, tree, staging, meter):
        _check_space(root, [m for m in packed.listed() if not os.path.lexists(root.joinpath(*m.parts))])
        files = 0
        for member in packed.members():
            _place(packed, member, tree, staging, meter)
            staging.note(member, meter.done)
            files += not member.folder
        if not files:
            raise DataError(f"{archive} holds no file; delete it and fetch it again")
        _settle()
        write_text(marker, state)


@reader(DataError, "an intact archive", "delete it and fetch it again")
def unpack_chosen(archive: Path, root: Path, wanted: str, limits: Limits = LIMITS) -> list[Path]:
    """Take the files whose name matches ``wanted`` out of ``archive`` into ``root``, without their folders.

    They are moved in when all of them are whole.

    Args:
        archive: zip or tar.
        root: target folder, made if needed; what lies there stays.
        wanted: regular expression that a whole file name must match.
        limits: of the archive.

    Raises:
        DataError: as ``unpack``; no file or two of one name.
        DiskFullError: the files do not fit.
    """
    with _unpacking(archive, root, limits) as (packed, tree, staging, meter):
        _check_space(root, [member for member in packed.listed() if _matches(wanted, member)])
        names: list[str] = []
        for member in packed.members():
            if _matches(wanted, member):
                _write(packed, member, staging.folder, str(len(names)), meter)
                names.append(member.parts[-1])
        if not names or len({folded(name) for name in names}) < len(names):
            raise DataError(f"{archive} must hold each file named like {wanted} once, it holds {names or 'none'}")
        for number, name in enumerate(names):
            if tree.root.state(name) and not _same_files(staging.folder, str(number), tree.root, name):
                raise DataError(_another(tree.root.path / name, name, archive))
        for number, name in enumerate(names):
            staging.folder.move(str(number), tree.root, name)
        return [root / name for name in names]


@contextlib.contextmanager
def _unpacking(archive: Path, root: Path, limits: Limits) -> Iterator[tuple[Packed, Tree, Staging, Meter]]:
    """An open archive, the target, the folder for what is not whole yet, and the progress in bytes of the archive."""
    with _existing(archive).open("rb") as file:
        packed = _opened(archive, file, limits)
        with _on_disk(root), Tree(root) as tree, Staging(tree.root, archive) as staging:
            label, done = f"unpacking {archive.name}", staging.position
            with Meter(label, packed.size, unit="bytes", done=done, announced=True) as meter:
                yield packed, tree, staging, meter


def _existing(archive: Path) -> Path:
    if not archive.is_file():
        raise DataError(f"there is no archive {archive}: fetch it, or name another one")
    return archive


def _settle() -> None:
    """The marker must not outlive a power cut that the files before it do not (once an archive, not once a file)."""
    if hasattr(os, "sync"):
        os.sync()


def _tidy(archive: Path, root: Path) -> None:
    """Delete what a run left that was killed after its last file; a target that is whole may be read-only."""
    if (root / staging_name(archive)).exists():
        with _on_disk(root), Tree(root) as tree, Staging(tree.root, archive):
            pass


def _opened(archive: Path, file: IO[bytes], limits: Limits) -> Packed:
    """By the first bytes: a zip archive at the end of a tar archive makes no zip archive of it."""
    with intact(archive):
        first = file.read(4)
        file.seek(0)
    return (ZipMembers if first in (b"PK\3\4", b"PK\5\6") else TarMembers)(archive, file, limits)


@contextlib.contextmanager
def _on_disk(root: Path) -> Iterator[None]:
    """Failures of the target folder, by name."""
    try:
        yield
    except UserError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                error.errno, f"no space left while unpacking into {root}; free some and run the same command again"
            ) from error
        raise DataError(f"cannot unpack into {root.absolute()} ({error}): choose another folder by --root") from error


def _place(packed: Packed, member: Member, tree: Tree, staging: Staging, meter: Meter) -> None:
    """Bring one member to its place, unless it is there."""
    if member.folder:
        tree.at(member.parts)
        return
    folder, name = tree.at(member.parts[:-1]), member.parts[-1]
    if (there := folder.state(name)) is None:
        _write(packed, member, staging.folder, WORK, meter)
        staging.folder.move(WORK, folder, name)
    elif not staging.trusts(member, there) and not _same(packed, member, folder, there):
        raise DataError(_another(folder.path / name, member.name, packed.archive))


def _write(packed: Packed, member: Member, folder: Folder, name: str, meter: Meter) -> None:
    _check_space(folder.path, [member])
    with folder.create(name) as file:
        for chunk in packed.content(member):
            file.write(chunk)
            meter.advance(max(packed.file.tell() - meter.done, 0))


def _same(packed: Packed, member: Member, folder: Folder, there: os.stat_result) -> bool:
    """Whether a file that is there has the content of the archive; where not even its size is right nothing is read."""
    if not stat.S_ISREG(there.st_mode) or there.st_size != member.size:
        return False
    with folder.open(member.parts[-1]) as file:
        return all(file.read(len(chunk)) == chunk for chunk in packed.content(member))


def _same_files(one: Folder, name: str, other: Folder, there: str) -> bool:
    state = other.state(there)
    if state is None or not stat.S_ISREG(state.st_mode):
        return False
    with one.open(name) as first, other.open(there) as second:
        while (chunk := first.read(CHUNK)) == second.read(CHUNK):
            if not chunk:
                return True
    return False


def _another(path: Path, name: str, archive: Path) -> str:
    return (
        f"{path} is not the {name} of {archive} and is left as it is: delete it if it is a damaged copy, or choose "
        "another folder by --root"
    )


def _matches(wanted: str, member: Member) -> bool:
    return not member.folder and re.fullmatch(wanted, member.parts[-1]) is not None


def _marker(archive: Path) -> str:
    """Short enough for the temporary name that it is written under."""
    fits = len(archive.name.encode("utf-8", "surrogateescape")) < LONGEST_PART - 40
    return f".unpacked-{archive.name if fits else digest(archive.name)}"


def _check_space(folder: Path, members: Sequence[Member]) -> None:
    """Before anything is written; several writers or a quota may still fill the disk."""
    needed, free = sum(member.size for member in members), shutil.disk_usage(folder).free
    if needed > free:
        raise DiskFullError(
            f"{folder.absolute()} has {free / 1e9:.2f} GB free, unpacking needs {needed / 1e9:.2f} GB; make room or "
            "choose another folder by --root"
        )
