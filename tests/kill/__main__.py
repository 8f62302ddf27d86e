"""Kill training, preparing, caching, evaluating and downloading, and see that nothing is lost: ``make kill``.

usage: python tests/kill [--kills N] [--scenario NAME …] [--seed N]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent, HERE.parent / "indoor"):
    sys.path.insert(0, str(folder))

import geo_lm4ve.threads  # noqa: E402, F401  (before torch)


def main() -> int:
    """Run the campaign; the exit code says whether every trial ended as a run in peace."""
    import torch
    from scenarios import SCENARIOS
    from trials import Outcome, Trials

    import geo_lm4ve.engine.evaluate
    import geo_lm4ve.engine.train  # noqa: F401  (what the commands import, once for all of them)
    from geo_lm4ve.shipped import load_parts

    torch.set_num_threads(1)
    load_parts()
    names = [scenario.name for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="of each scenario; slow ones get a part of them")
    parser.add_argument("--scenario", nargs="*", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    outcomes: list[Outcome] = []
    started = time.monotonic()
    for scenario in (one for one in SCENARIOS if one.name in given.scenario):
        with tempfile.TemporaryDirectory(prefix="kill-") as folder:
            kills = max(1, round(given.kills * scenario.share))
            outcomes.append(Trials(scenario, Path(folder), given.seed).run(kills))
        print(f"{scenario.name}, {(time.monotonic() - started) / 60:.1f} min", file=sys.stderr, flush=True)
    show(outcomes)
    return int(any(outcome.faults or outcome.leftovers for outcome in outcomes))


def show(outcomes: list) -> None:
    """The table, and what went wrong."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="killed, run again, compared with a run in peace")
    table.add_column("scenario")
    columns = ("seconds", "kills", "came too late", "trials", "equal", "begun anew", "leftovers")
    for name in columns:
        table.add_column(name, justify="right")
    for one in outcomes:
        numbers = (one.kills, one.late, one.trials, one.equal, one.begun, len(one.leftovers))
        table.add_row(one.name, f"{one.seconds:.1f}", *map(str, numbers))
    console = Console(width=120)
    console.print(table)
    for one in outcomes:
        for text in (*one.faults, *(f"left over: {name}" for name in sorted(set(one.leftovers)))):
            console.print(escape(f"{one.name}: {text}"), highlight=False)


if __name__ == "__main__":
    sys.exit(main())
