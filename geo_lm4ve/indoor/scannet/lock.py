"""One preparation per folder at a time."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geo_lm4ve.data.errors import DataError

try:
    import fcntl
except ImportError:  # Windows: nothing is locked
    fcntl = None  # type: ignore[assignment]

_NONE = (errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.EINVAL, errno.ENOSYS)
"""What file systems without locks answer."""


@contextmanager
def locked(folder: Path, marker: str) -> Iterator[None]:
    """Hold the lock on a file of the folder; it ends with the process. File systems without locks go without.

    Raises:
        DataError: another process has it.
    """
    with (folder / marker).open("rb") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DataError(f"another process prepares data in {folder}: wait until it is done") from error
            except OSError as error:
                if error.errno not in _NONE:
                    raise
        yield
