"""The doctor's command line."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence

from geo_lm4ve.doctor.diagnosis import Diagnosis, examine
from geo_lm4ve.words import line


def main(arguments: Sequence[str] | None = None, prog: str = "python -m geo_lm4ve.doctor") -> int:
    """Print the diagnosis; 0 if the core works, else 1."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="What is installed, which kernels serve point operations, which blocks and data are at hand, and "
        "the line that gets what is missing. Exit code 0: the core works; 1: a core package is missing or broken.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    options = parser.parse_args(arguments)
    found = examine()
    if options.json:
        print(json.dumps(found.plain(), indent=2))
    else:
        _print(found)
    return 0 if found.ok else 1


def _print(found: Diagnosis) -> None:
    if any(finding.name == "rich" and finding.state.value != "ok" for finding in found.core):
        print("\n".join(map(line, found.problems)))
        return
    output = importlib.import_module("geo_lm4ve.doctor.output")
    console = importlib.import_module("rich.console").Console(width=None if sys.stdout.isatty() else 160)
    output.print_diagnosis(found, console)


if __name__ == "__main__":
    sys.exit(main())
