"""The lock on an open file or folder: one process has it, and it ends with the handle, so with the process too."""

from __future__ import annotations

import errno
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows, where nothing is locked
    fcntl = None  # type: ignore[assignment]

_NONE = (errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.EINVAL, errno.ENOSYS)
"""What file systems without locks answer."""


def lock(opened: int | IO[Any]) -> bool:
    """Take the lock; False where there are none (Windows, some file systems).

    Args:
        opened: a file, or the handle of a file or folder.

    Raises:
        BlockingIOError: another process has it.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in _NONE:
            raise
        return False
    return True
