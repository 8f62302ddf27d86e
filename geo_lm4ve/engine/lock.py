"""One training process per run folder: a second one would write into the first one's log and checkpoints."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from accelerate.utils import broadcast_object_list

from geo_lm4ve.engine.session import Session
from geo_lm4ve.files import UserError, WriteError, said, sweep_folder
from geo_lm4ve.locks import lock
from geo_lm4ve.notice import say

LOCK = ".training"
"""Lies in a run folder while it is trained; holds process and host. The lock on it ends with its process."""


class RunBusyError(UserError, RuntimeError):
    """Another process trains the run in this folder."""


class RunLock:
    """The right to train in a folder; a context manager that gives it back, whether it was taken or not."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.file: IO[str] | None = None

    def __enter__(self) -> RunLock:
        """Nothing is taken yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back; the file goes while it is still locked, so that nobody waits for one that is gone."""
        if self.file is not None and self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()
            self.file.close()
            self.file = None

    def take(self, session: Session, folder: Path) -> None:
        """Take it for the processes of a session (all have to call); then no file there is half-written.

        Raises:
            RunBusyError: another process has it; on every process of the session.
            WriteError: nothing can be written there.
        """
        fault: list[Any] = [None]
        if session.main:
            try:
                self._lock(folder / LOCK)
                sweep_folder(folder)
            except UserError as error:
                fault[0] = error
        if session.world > 1:
            broadcast_object_list(fault)
        if fault[0] is not None:
            raise fault[0]

    def _lock(self, path: Path) -> None:
        while self.file is None:
            try:
                file = path.open("a+", encoding="utf-8")
            except OSError as error:
                raise WriteError(error.errno, f"cannot write {path} ({said(error)}); make it writable") from error
            try:
                if not lock(file):
                    say(f"{path.parent} cannot be locked here: start no second training in it")
            except BlockingIOError:
                raise _busy(file, path) from None
            if _gone(file, path):  # its owner has ended and removed it between the two
                file.close()
                continue
            self.path, self.file = path, file
        self.file.truncate(0)
        self.file.write(f"process {os.getpid()} on {platform.node()}")
        self.file.flush()


def _gone(file: IO[str], path: Path) -> bool:
    try:
        return os.fstat(file.fileno()).st_ino != path.stat().st_ino
    except FileNotFoundError:
        return True


def _busy(file: IO[str], path: Path) -> RunBusyError:
    with file:
        file.seek(0)
        owner = file.read(300).strip() or "another process"
    return RunBusyError(f"{path.parent} is being trained by {owner}; wait for it, stop it, or start a run of its own")
