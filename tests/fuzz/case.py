"""One case: read a spoiled file and say how it ended. It runs in a process that may be lost."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seed import Seed

HANG = 5.0
"""Seconds of processor time (of all threads) after which a case counts as hanging."""
MEMORY = 1 << 30
"""Bytes that a case may take: every seed has less than a megabyte."""
ENDS = ("ok", "named", "unnamed", "raw", "hang", "memory", "code", "crash")
"""unnamed: a UserError that does not say which file it is about."""
GOOD = ("ok", "named")

_RUNS = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.forkpty",
    "subprocess.Popen",
    "socket.connect",
    "pty.spawn",
)
_CHANGES = {"os.remove": 1, "os.rename": 2, "os.rmdir": 1, "os.mkdir": 2, "os.link": 2, "os.symlink": 2, "os.chmod": 2}
"""With the place among their details of the folder, as a handle, in which the file is; -1 is where the process is."""


@dataclass(frozen=True)
class Ended:
    """How a case ended: one of ENDS, and what was raised where."""

    end: str
    what: str = ""


class Watch:
    """Notes programs that are started, connections, and files that are changed outside of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder.resolve())
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, details: tuple[Any, ...]) -> None:
        if event in _RUNS:
            self.seen.append(f"{event} {details[:2]}")
        elif event in _CHANGES or (event == "open" and _writes(details)):
            path = _path(event, details)
            if path is not None and not str(path).startswith((self.folder, "/dev/")):
                self.seen.append(f"{event} {path}")


def _path(event: str, details: tuple[Any, ...]) -> Path | None:
    """Which file an event is about; None for a handle, and for a name in a folder that ``open`` does not tell."""
    if not isinstance(details[0], str | bytes):
        return None
    name = os.fsdecode(details[0])
    if event == "open" and details[1] is None and "/" not in name:
        return None
    handle = details[_CHANGES[event]] if event in _CHANGES else -1
    return (Path(f"/proc/self/fd/{handle}" if handle != -1 else "") / name).resolve()


def _writes(details: tuple[Any, ...]) -> bool:
    mode, flags = details[1], details[2]
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def limited() -> None:
    """Let this process have so much more memory, so that an absurd request fails instead of being granted."""
    used = _status("VmData")
    resource.setrlimit(resource.RLIMIT_DATA, (used + 3 * MEMORY, resource.RLIM_INFINITY))


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


@contextlib.contextmanager
def _clock() -> Iterator[None]:
    """The system ends this process with SIGPROF when its processor time is up: nothing in it can hold that up."""
    signal.setitimer(signal.ITIMER_PROF, HANG)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def read(seed: Seed, path: Path, watch: Watch) -> Ended:
    """Read the file of a case."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    watch.seen.clear()
    before = _status("VmHWM")
    with _clock():
        ended = _read(seed, path)
    if watch.seen:
        return Ended("code", watch.seen[0])
    if _status("VmHWM") - before > MEMORY:
        return Ended("memory", f"{(_status('VmHWM') - before) / MEMORY:.1f} GiB; {ended.what}")
    return ended


def _read(seed: Seed, path: Path) -> Ended:
    from geo_lm4ve.files import UserError

    try:
        seed.read(path)
    except UserError as error:
        if asked_for_memory(error):
            return Ended("memory", _last_place(error))
        said = "\n".join((str(error), *getattr(error, "__notes__", ())))
        named = path.name in said or str(path.parent) in said
        return Ended("named" if named else "unnamed", said[:300] if not named else "")
    except BaseException as error:  # noqa: BLE001 (how it ends is what is looked for)
        return Ended("memory" if asked_for_memory(error) else "raw", _last_place(error))
    return Ended("ok")


def asked_for_memory(error: BaseException | None) -> bool:
    """Whether a refused request for memory lies at the root of an error."""
    while error is not None:
        if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _last_place(error: BaseException) -> str:
    """Class and text, and the innermost line of the package it passed."""
    root = error.__cause__ if error.__cause__ is not None and asked_for_memory(error) else error
    frames = [frame for frame in traceback.extract_tb(root.__traceback__) if "geo_lm4ve" in frame.filename]
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return f"{where} {type(root).__name__}: {' '.join(str(root).split())[:160]}"
