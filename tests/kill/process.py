"""Commands in processes that are killed: forked from this one, which has imported what they need, or started anew."""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARK = "GEO_LM4VE_KILL"
"""Environment variable by which processes that a command has started are found again."""


def tool(name: str, *arguments: object) -> None:
    """``python tools/NAME.py ARGUMENTS`` in this process."""
    sys.argv = [str(ROOT / "tools" / f"{name}.py"), *map(str, arguments)]
    runpy.run_path(sys.argv[0], run_name="__main__")


def tool_in_two(name: str, *arguments: object) -> None:
    """``torchrun --nproc_per_node 2 tools/NAME.py ARGUMENTS`` instead of this process."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command = [sys.executable, *launcher, str(ROOT / "tools" / f"{name}.py"), *map(str, arguments)]
    os.execve(sys.executable, command, {**os.environ, MARK: str(os.getpid())})


class Running:
    """A function in a process of its own; ``output`` takes what it prints."""

    def __init__(self, run: Callable[[], None], output: Path):
        self.begun = time.monotonic()
        self.output = output
        self.pid = os.fork()
        if not self.pid:
            _child(run, output)

    def end(self, within: float | None = None) -> int | None:
        """Wait for its end: the exit code, or None if it has not ended after so many seconds."""
        while within is None or time.monotonic() - self.begun < within:
            pid, status = os.waitpid(self.pid, 0 if within is None else os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.001)
        return None

    def kill(self) -> None:
        """SIGKILL for it and whatever it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        while others := [pid for pid in _marked(self.pid) if pid != self.pid]:
            for pid in others:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _child(run: Callable[[], None], output: Path) -> None:
    code = 1
    try:
        os.setsid()
        void = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(void, stream)
        os.chdir(ROOT)
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code)
    except BaseException:  # noqa: BLE001 (whatever it is, this process ends here)
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(code)


def _marked(pid: int) -> list[int]:
    """Living processes whose environment carries the mark of a command."""
    wanted = f"{MARK}={pid}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            alive = b"\nState:\tZ" not in (place / "status").read_bytes()
            if alive and wanted in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
        except OSError:
            continue
    return found
