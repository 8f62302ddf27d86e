"""Threads that wait asleep. Import this module before torch: OpenMP reads its settings when it is loaded.

Between two parallel loops OpenMP's threads spin by default, in the hope that the next loop comes at once. Beside any
other load (a second run, a test worker, a data loader) they take the processor from those that have work.
"""

from __future__ import annotations

import os

PASSIVE = {"GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
"""Environment variables and values with which GNU's and LLVM's (Intel's) OpenMP put waiting threads to sleep."""

CHOSEN_BY_USER = (*PASSIVE, "OMP_WAIT_POLICY")
"""If one of these is set when this module is imported, it stays as it is and nothing else is set."""


def wait_passively() -> None:
    """Put waiting threads to sleep, in this process and those it starts, unless the environment says otherwise."""
    if not any(name in os.environ for name in CHOSEN_BY_USER):
        os.environ.update(PASSIVE)


def waiting() -> str:
    """How threads of this process wait, for the announcement of a run."""
    chosen = [f"{name}={os.environ[name]}" for name in CHOSEN_BY_USER if name in os.environ]
    return ", ".join(chosen) or "as OpenMP does by default"


wait_passively()
