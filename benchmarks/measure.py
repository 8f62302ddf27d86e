"""Contenders timed in turn in one process, so that a busy moment falls on all of them; and where it was."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch


def interleaved(
    contenders: Mapping[str, Callable[[], object]], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Median seconds (wall, by default) of each contender over ``repeats`` rounds, after one that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for counted in [False, *[True] * repeats]:
        for name, call in contenders.items():
            start = clock()
            call()
            if counted:
                seconds[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def circumstances() -> dict[str, Any]:
    """What a figure depends on."""
    return {
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
