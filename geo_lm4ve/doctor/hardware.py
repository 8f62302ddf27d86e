"""The machine: processor, memory, accelerators, and the kernels that serve point operations on it."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path
from typing import Any


def device() -> dict[str, Any]:
    """Facts about the machine; sizes in GB (10^9 bytes)."""
    import torch

    from geo_lm4ve.blocks.precision import cpu_multiplies

    facts: dict[str, Any] = {
        "computes on": "cuda" if torch.cuda.is_available() else "cpu",
        "processor": f"{processor()}, {os.cpu_count()} logical cores, PyTorch uses {torch.get_num_threads()} threads",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "bfloat16 units": _yes(
            cpu_multiplies(torch.bfloat16), "run.precision=bf16 would be emulated and slow on the CPU"
        ),
        "free disk here": f"{shutil.disk_usage(Path.cwd()).free / 1e9:.0f} GB",
    }
    for index in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(index)
        low = "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no bfloat16"
        facts[f"cuda:{index}"] = f"{card.name}, {card.total_memory / 1e9:.0f} GB, CUDA {torch.version.cuda}, {low}"
    return facts


def point_kernels() -> dict[str, dict[str, str]]:
    """Device -> point operation -> what serves it and why."""
    import torch

    from geo_lm4ve.geometry import kernels

    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    return {name: kernels.announce(name) for name in devices}


def processor() -> str:
    """Name of the processor; Linux says more in /proc than ``platform`` does."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _yes(value: bool, otherwise: str) -> str:
    return "yes" if value else f"no: {otherwise}"
