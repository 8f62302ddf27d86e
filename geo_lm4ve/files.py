"""Files that are either whole or absent: temporary name, flush, rename; and checksums."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class UserError(Exception):
    """Something the user can mend: commands print its message without a traceback."""


class DiskFullError(UserError, OSError):
    """The disk ran full while a file was written; nothing half-written is left behind."""


@contextlib.contextmanager
def atomic_path(target: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside ``target``; rename it onto ``target`` when the body ends well.

    The temporary file is removed when the body raises. A full disk becomes a DiskFullError that names the folder.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                error.errno, f"no space left while writing {target}; free some and run the same command again"
            ) from error
        raise
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(target: Path | str, text: str) -> None:
    """Write a text file atomically (UTF-8)."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: Path | str, value: Any) -> None:
    """Write JSON atomically, indented by two."""
    write_text(target, json.dumps(value, indent=2, sort_keys=False) + "\n")


def checksum(path: Path | str, algorithm: str = "sha256") -> str:
    """Hex digest of a file's content."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, algorithm).hexdigest()
