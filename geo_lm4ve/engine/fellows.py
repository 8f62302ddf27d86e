"""The processes of a run end together: one of them says why and how to go on, the others at most a line."""

from __future__ import annotations

import hashlib
import os
import platform
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import torch.distributed as dist

from geo_lm4ve.files import UserError, alive

PATIENCE = 3.0
"""Seconds that a process whose connection broke looks for the one that is gone: a launcher notices deaths in 0.1 s."""
FAILED, STOPPED = "failed", "stopped"
"""How a process leaves: for a reason of its own, or since another one is gone, the launcher or the user stops it."""


class ProcessError(UserError, RuntimeError):
    """Another process of this run died or failed."""


class _Terminated(BaseException):
    """SIGTERM: a launcher sends it to all others when one process is gone."""


@dataclass
class Fellows:
    """What the processes of a run say when one of them is gone.

    Attributes:
        way_on: what the user can do then.
    """

    way_on: Callable[[], str] = lambda: "run the same command again"


def introduce() -> None:
    """Tell the other processes where this one runs; the process group exists."""
    _store().set(f"at/{dist.get_rank()}", f"{platform.node()} {os.getpid()}")


@contextmanager
def together() -> Iterator[Fellows]:
    """What happens inside ends in all processes with one message, whichever of them dies or fails.

    Raises:
        ProcessError: another process died or failed, in the first that notices.
        SystemExit: the same, in the others; or all were told to stop.
    """
    fellows = Fellows()
    several = int(os.environ.get("WORLD_SIZE", "1")) > 1
    before = signal.signal(signal.SIGTERM, _terminate) if several else None
    try:
        yield fellows
    except BaseException as error:
        if several:  # the launcher ends the others at once; this one has something to say
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if dist.is_initialized() and dist.get_world_size() > 1:
            _leave(error, fellows)
        if isinstance(error, _Terminated):
            raise SystemExit(128 + signal.SIGTERM) from None
        raise
    if several:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, _frame: object) -> None:
    raise _Terminated(number)


def _leave(error: BaseException, fellows: Fellows) -> None:
    """Tell the others how this process leaves; raises unless it is for this one to raise its own error.

    Raises:
        ProcessError: another process is gone, and it is for this one to say so.
        SystemExit: another process has said all.
    """
    lost = _lost(error)
    try:
        if lost:
            _report(error, fellows)
        _store().set(f"left/{dist.get_rank()}", FAILED if isinstance(error, Exception) else STOPPED)
        if isinstance(error, UserError) and not _first(str(error)):
            raise SystemExit(1) from error
    except dist.DistError as gone:
        agent = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
        who = "the launcher of this machine's processes" if agent else "rank 0"
        if lost:
            raise ProcessError(f"{who} is gone; {fellows.way_on()}") from gone


def _lost(error: BaseException) -> bool:
    """True for what a process meets when another one is gone; gloo raises a bare RuntimeError that has its name."""
    if isinstance(error, UserError):
        return False
    broken = isinstance(error, RuntimeError) and "gloo" in str(error)
    return broken or isinstance(error, _Terminated | dist.DistError)


def _report(error: BaseException, fellows: Fellows) -> NoReturn:
    """Say which process is gone, unless another one does."""
    _store().set(f"left/{dist.get_rank()}", STOPPED)
    failed, dead = _gone()
    if isinstance(error, _Terminated) and not failed and not dead:
        raise SystemExit(128 + signal.SIGTERM)
    if not _first("report"):
        raise SystemExit(1) from error
    what = "the connection to another process broke"
    if failed:
        what = f"ended because {_named(failed)} failed and says why"
    elif dead:
        what = f"{_named(dead)} died without a word, as when killed or out of memory (the system's log may know)"
    raise ProcessError(f"{what}; {fellows.way_on()}") from error


def _gone() -> tuple[list[int], list[int]]:
    """Ranks that failed, and ranks of this machine that are dead; waits for the first of either."""
    store, end = _store(), time.monotonic() + PATIENCE
    others = [rank for rank in range(dist.get_world_size()) if rank != dist.get_rank()]
    while True:
        left = {rank: store.get(f"left/{rank}").decode() for rank in others if store.check([f"left/{rank}"])}
        failed = [rank for rank, how in left.items() if how == FAILED]
        dead = [rank for rank in others if rank not in left and not _runs(rank)]
        if failed or dead or time.monotonic() > end:
            return failed, dead
        time.sleep(0.05)


def _runs(rank: int) -> bool:
    """False for a process of this machine that is dead."""
    host, process = _place(rank)
    return host != platform.node() or alive(int(process))


def _place(rank: int) -> list[str]:
    """Host and number of a process."""
    return _store().get(f"at/{rank}").decode().rsplit(" ", 1)


def _named(ranks: list[int]) -> str:
    places = [(rank, *_place(rank)) for rank in ranks]
    shown = ", ".join(f"{rank} (process {process} on {host})" for rank, host, process in places)
    return f"rank {shown} of {dist.get_world_size()}"


def _first(what: str) -> bool:
    """True in the first process that asks: the one that prints it."""
    return _store().add(f"said/{hashlib.sha256(what.encode()).hexdigest()}", 1) == 1


def _store() -> dist.Store:
    """What the processes can tell one another when their connections are broken."""
    return dist.PrefixStore("geo_lm4ve", dist.distributed_c10d._get_default_store())
