"""CPU time until a command says something, in units of that of ``import torch``, taken in turn with it.

python benchmarks/startup.py [--repeats 3]

Every command's --help; and training, until the first and until the last line of its announcement, on points (the quick
start) and on traffic (VectorNet), with made-up data that are there already.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import geo_lm4ve.threads  # noqa: F401  (before torch: its threads soon sleep)
from geo_lm4ve.commands import COMMANDS

UNTIL = """
import os, sys
from geo_lm4ve.__main__ import main

class Watched:
    def __init__(self, stream, last):
        self.stream, self.last = stream, last
    def write(self, text):
        self.stream.write(text)
        if self.last in text:
            self.stream.flush()
            os._exit(0)
    def __getattr__(self, name):
        return getattr(self.stream, name)

sys.stdout = Watched(sys.stdout, sys.argv[1])
main(sys.argv[2:])
"""
FIRST, LAST = "experiment", "run folder"
POINTS = ("quickstart", "data.train=380", "data.test=38")
TRAFFIC = ("argoverse1_vectornet_llama", "data=synthetic_traffic", "data.train=32", "data.val=8",
           "encoder=vectornet_small", "block=smollm2_135m", "optim=vectornet_short", "run.select_on=last")  # fmt: skip


def contenders() -> dict[str, list[str]]:
    """Arguments of Python by name of what is measured."""
    found = {"import torch": ["-c", "import torch"]}
    found |= {f"{name} --help": ["-m", "geo_lm4ve", name, "--help"] for name in COMMANDS}
    for modality, experiment in (("points", POINTS), ("traffic", TRAFFIC)):
        for end, line in (("first", FIRST), ("last", LAST)):
            found[f"train, {modality}, {end} line"] = ["-c", UNTIL, line, "train", *experiment]
    return found


def cpu(arguments: list[str], folder: Path) -> float:
    """CPU seconds of a Python process, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(repeats: int, folder: Path) -> dict[str, float]:
    """Median CPU seconds of each contender; the first round, which makes data and byte code, does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders()}
    for counted in [False, *[True] * repeats]:
        for name, arguments in contenders().items():
            taken = cpu(arguments, folder)
            if counted:
                seconds[name].append(taken)
    return {name: statistics.median(values) for name, values in seconds.items()}


def show(seconds: Mapping[str, float]) -> None:
    unit = seconds["import torch"]
    for name, taken in seconds.items():
        print(f"{name:<28}{taken:8.2f} s{taken / unit:8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="JSON file for the seconds")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure(given.repeats, Path(folder))
    show(seconds)
    if given.out:
        from measure import circumstances

        given.out.write_text(json.dumps({**circumstances(), "cpu_seconds": seconds}, indent=1) + "\n")


if __name__ == "__main__":
    main()
