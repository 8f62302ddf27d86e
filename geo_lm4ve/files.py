"""Files that are either whole or absent: temporary name, flush, rename; and checksums."""

from __future__ import annotations

import contextlib
import errno
import functools
import glob
import hashlib
import json
import math
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class UserError(Exception):
    """Something the user can mend: commands print its message without a traceback."""


class WriteError(UserError, OSError):
    """A file that cannot be written where it should go; nothing half-written is left behind."""

    def __str__(self) -> str:
        """The message, without the number that OSError puts in front."""
        return self.strerror or super().__str__()


class DiskFullError(WriteError):
    """The disk ran full while a file was written; nothing half-written is left behind."""


FULL = (errno.ENOSPC, errno.EDQUOT)
"""What a system answers where a disk, or one's share of it, is used up."""
_NEARLY_FULL = 1 << 20
"""Bytes free on a disk on which a library that does not say why its write failed ran out of space."""
_NUMBER = "$numberDouble"
"""The one key of a mapping that stands for a number that is not finite."""
_LONGEST = 180
"""Bytes of a name that its temporary name repeats: file systems take 255 in all."""


@contextlib.contextmanager
def atomic_path(target: Path | str) -> Iterator[Path]:
    """Yield a path in a temporary folder beside ``target``; rename it onto ``target`` when the body ends well.

    The folder takes what a library writes beside its file, too (safetensors does). It is removed when the body raises;
    one that a killed process left is removed by the next that writes the same target.

    Raises:
        DiskFullError: the disk ran full, whatever the library that was writing calls it.
        WriteError: the folder or file cannot be written; names it.
    """
    target = Path(target)
    folder = target.with_name(_temporary_name(target.name))
    temporary = folder / "new"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target)
        folder.mkdir(exist_ok=True)
        yield temporary
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(target)
        shutil.rmtree(folder)
    except BaseException as error:
        named = _write_error(error, target)
        shutil.rmtree(folder, ignore_errors=True)  # a place that has become read-only keeps it
        if named is None:
            raise
        raise named from error


def _temporary_name(name: str) -> str:
    """``.NAME.PID@HOST.tmp``; a name too long for that is named by its hash."""
    short = name if len(os.fsencode(name)) <= _LONGEST else hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return f".{short}.{os.getpid()}@{host()}.tmp"


@functools.cache
def host() -> str:
    """What names of temporary files call this machine."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def sweep(target: Path) -> None:
    """Remove the temporary files of ``target`` that killed processes of this machine left."""
    prefix, suffix = _temporary_name(target.name).rsplit(f"{os.getpid()}@", 1)
    for left in target.parent.glob(f"{glob.escape(prefix)}*@{suffix}"):
        owner = left.name.removeprefix(prefix).removesuffix(f"@{suffix}")
        if owner.isdecimal() and int(owner) != os.getpid() and not alive(int(owner)):
            _discard(left)


def _discard(left: Path) -> None:
    """Remove a temporary folder, or a file, which it was before."""
    if left.is_dir() and not left.is_symlink():
        shutil.rmtree(left, ignore_errors=True)
    else:
        left.unlink(missing_ok=True)


def alive(process: int) -> bool:
    """False where no process of this machine has that number."""
    if os.name == "nt":
        return True  # there a signal 0 is not a question: nothing is swept
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def _write_error(error: BaseException, target: Path) -> WriteError | None:
    """What to raise instead of an error met while ``target`` was written; None for one that says enough itself."""
    if isinstance(error, UserError) or not isinstance(error, Exception):
        return None
    if _ran_full(error, target.parent):
        text = f"no space left while writing {target}; free some and run the same command again"
        return DiskFullError(errno.ENOSPC, text)
    if not isinstance(error, OSError) or error.errno is None:
        return None
    named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else target
    beside = named.parent.parent if named.parent.name.endswith(".tmp") else named.parent
    if target.parent not in (named, beside) and named not in target.parents:
        return None
    return WriteError(error.errno, f"cannot write {target} ({said(error)}); make it writable or choose another place")


def _ran_full(error: Exception, folder: Path) -> bool:
    """Whether the disk is full. safetensors, torch.save, numpy and HDF5 raise classes of their own, not all say why."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in FULL
    if any(sign in str(error) for sign in ("No space left", "os error 28", "errno = 28", "Disk quota exceeded")):
        return True
    from_a_saver = isinstance(error, OSError | RuntimeError) or type(error).__name__ == "SafetensorError"
    return from_a_saver and folder.is_dir() and shutil.disk_usage(folder).free < _NEARLY_FULL


def said(error: OSError) -> str:
    """What went wrong and with which file, in one short line, without the number."""
    text = error.strerror or " ".join(str(error).split())[:300] or type(error).__name__
    return f"{text}: {error.filename}" if error.filename is not None and error.strerror else text


def write_text(target: Path | str, text: str) -> None:
    """Write a text file atomically (UTF-8)."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: Path | str, value: Any) -> None:
    """Write JSON atomically, indented by two; numbers as of ``to_json``."""
    write_text(target, to_json(value, indent=2) + "\n")


def to_json(value: Any, *, indent: int | None = None) -> str:
    """JSON that every reader takes and ``from_json`` gives back; without ``indent`` on one line, without a space.

    JSON has no numbers that are not finite; they are written as in MongoDB's Extended JSON, ``{"$numberDouble":
    "NaN"}``, which no class called NaN can be taken for and which tells infinities apart, as ``null`` would not.
    """
    separators = (",", ":") if indent is None else None
    try:
        return json.dumps(value, indent=indent, separators=separators, allow_nan=False)
    except ValueError:
        return json.dumps(_tagged(value), indent=indent, separators=separators, allow_nan=False)


def _tagged(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {_NUMBER: "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, dict):
        return {key: _tagged(item) for key, item in value.items()}
    return [_tagged(item) for item in value] if isinstance(value, list | tuple) else value


def from_json(text: str | bytes) -> Any:
    """The value of a JSON text; numbers that are not finite as ``to_json`` writes them, or as Python used to (NaN)."""
    return json.loads(text, object_hook=_untagged)


def _untagged(value: dict[str, Any]) -> Any:
    known = value.keys() == {_NUMBER} and value[_NUMBER] in ("NaN", "Infinity", "-Infinity")
    return float(value[_NUMBER]) if known else value


def append_line(target: Path, text: str) -> None:
    """Add a line to a file: all of it, or nothing where that fails.

    Raises:
        DiskFullError, WriteError: as ``atomic_path``.
    """
    with writing(target), target.open("ab", buffering=0) as handle:
        before = handle.tell()
        try:
            line = f"{text}\n".encode()
            while line:  # a disk that runs full takes what it can at first
                line = line[handle.write(line) :]
            os.fsync(handle.fileno())
        except BaseException:
            with contextlib.suppress(OSError):
                handle.truncate(before)
            raise


@contextlib.contextmanager
def writing(target: Path) -> Iterator[None]:
    """For files that grow in place: what fails while they are opened or written names them; as ``atomic_path``."""
    try:
        yield
    except OSError as error:
        if (named := _write_error(error, target)) is None:
            raise
        raise named from error


def remove(path: Path) -> None:
    """Delete a file if it is there; WriteError where that is not allowed."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(error.errno, f"cannot remove {path} ({said(error)}); make its folder writable") from error


def sweep_folder(folder: Path) -> None:
    """Remove every temporary file in a folder, and below, that killed processes of this machine left."""
    for left in list(folder.rglob(f".*@{host()}.tmp")):
        owner = left.name.removesuffix(f"@{host()}.tmp").rsplit(".", 1)[-1]
        if owner.isdecimal() and int(owner) != os.getpid() and not alive(int(owner)):
            _discard(left)


def checksum(path: Path | str, algorithm: str = "sha256") -> str:
    """Hex digest of a file's content."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, algorithm).hexdigest()
