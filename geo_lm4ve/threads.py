"""Threads that soon sleep while they wait. Import this module before torch: OpenMP reads its settings when loaded.

Between two parallel loops OpenMP's threads spin by default, in the hope that the next loop comes at once. Beside any
other load (a second run, a test worker, a data loader) they take the processor from those that have work. Six training
steps of a tiny Point-BERT with SmolLM2's layer on two cores beside four busy processes took 33 s; with threads that
spin for 10,000 turns, some microseconds, and then sleep, 6 s. Alone, twenty steps took 5.7 s either way, and 6.2 s with
threads that sleep at once.
"""

from __future__ import annotations

import os

SHORT_SPIN = {"GOMP_SPINCOUNT": "10000", "KMP_BLOCKTIME": "1"}
"""Environment variables that bound the spinning: of GNU's OpenMP in turns, of LLVM's and Intel's in milliseconds."""

CHOSEN_BY_USER = (*SHORT_SPIN, "OMP_WAIT_POLICY")
"""If one of these is set when this module is imported, it stays as it is and nothing else is set."""


def bound_spinning() -> None:
    """Let waiting threads sleep soon, in this process and those it starts, unless the environment says otherwise."""
    if not any(name in os.environ for name in CHOSEN_BY_USER):
        os.environ.update(SHORT_SPIN)


def waiting() -> str:
    """How threads of this process wait, for the announcement of a run."""
    chosen = [f"{name}={os.environ[name]}" for name in CHOSEN_BY_USER if name in os.environ]
    return ", ".join(chosen) or "as OpenMP does by default"


bound_spinning()
