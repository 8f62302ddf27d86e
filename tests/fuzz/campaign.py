"""Many cases of a seed, in a process of their own that is started again when a case takes it down."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from case import GOOD, Ended, Watch, limited, read
from seed import Seed, all_seeds

STUCK = 120.0
"""Seconds after which a case that uses no processor counts as hanging too."""


@dataclass
class Outcome:
    """What a seed's cases came to.

    Attributes:
        ends: how many ended how.
        faults: one case of each kind that did not end well: its number, how it ended, what was raised where.
    """

    seed: str
    ends: Counter[str] = field(default_factory=Counter)
    faults: dict[str, tuple[int, Ended]] = field(default_factory=dict)

    def add(self, case: int, ended: Ended) -> None:
        """Count a case."""
        self.ends[ended.end] += 1
        if ended.end not in GOOD:
            self.faults.setdefault(f"{ended.end} {ended.what[:60]}", (case, ended))


def run(seed: Seed, cases: range) -> Outcome:
    """Run these cases of a seed."""
    outcome = Outcome(seed.name)
    memory = Path("/dev/shm")  # a case writes a file and reads it: in memory where there is such a place
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory if os.access(memory, os.W_OK) else None) as folder:
        next_case = cases.start
        while next_case < cases.stop:
            next_case = _run_until_lost(seed, range(next_case, cases.stop), Path(folder), outcome)
    return outcome


def run_named(name: str, cases: int) -> Outcome:
    """The first cases of a seed by its name, for a process of a pool."""
    import geo_lm4ve.threads  # noqa: F401  (before torch)

    return run(all_seeds()[name], range(cases))


def _run_until_lost(seed: Seed, cases: range, folder: Path, outcome: Outcome) -> int:
    """Cases in one process; returns the first that has still to be run."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_work, args=(seed, cases, folder, theirs))
    process.start()
    theirs.close()
    case = cases.start
    try:
        while case < cases.stop and ours.poll(STUCK):
            outcome.add(case, ours.recv())
            case += 1
    except EOFError:
        pass
    if case < cases.stop:
        stuck = process.is_alive() and not ours.poll()
        if stuck:
            process.kill()
        process.join()
        if process.exitcode in (1, 2):
            raise RuntimeError(f"the process that runs {seed.name} failed at case {case}; see above")
        hung = stuck or process.exitcode == -signal.SIGPROF
        outcome.add(case, Ended("hang") if hung else Ended("crash", f"exit code {process.exitcode}"))
        case += 1
    process.join()
    ours.close()
    return case


def _work(seed: Seed, cases: range, folder: Path, answers: Connection) -> None:
    sandbox, path, content = prepared(seed, folder)
    _silent()
    watch = Watch(sandbox)
    limited()
    for case in cases:
        path.write_bytes(seed.mutated(content, case))
        answers.send(read(seed, path, watch))
    answers.close()


def prepared(seed: Seed, folder: Path) -> tuple[Path, Path, bytes]:
    """The folder in which a seed was written, the file to mutate, and its good content, which has been read."""
    sandbox = folder / seed.name
    shutil.rmtree(sandbox, ignore_errors=True)
    sandbox.mkdir(parents=True)
    os.environ["GEO_LM4VE_CACHE"] = str(sandbox / "cache")
    sys.dont_write_bytecode = True
    path = seed.write(sandbox)
    seed.read(path)  # what is imported late is imported before anything is counted
    return sandbox, path, path.read_bytes()


def _silent() -> None:
    """What readers say is not wanted here."""
    void = os.open(os.devnull, os.O_WRONLY)
    os.dup2(void, 1)
    os.dup2(void, 2)
