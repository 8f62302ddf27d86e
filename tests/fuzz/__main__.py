"""Spoil the files of every reader and see how it takes that: ``make fuzz``.

usage: python tests/fuzz [--cases N] [--seed NAME …] [--jobs N]
       python tests/fuzz --seed NAME --case N [--keep FILE]     reads one case again and shows its traceback
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOMS = ("points", "traffic", "blocks", "language", "indoor", "images")
for folder in (HERE, HERE.parent, *(HERE.parent / room for room in ROOMS)):
    sys.path.insert(0, str(folder))

from campaign import Outcome, prepared, run_named  # noqa: E402
from case import ENDS, GOOD  # noqa: E402
from seed import Seed, all_seeds  # noqa: E402

import geo_lm4ve.threads  # noqa: E402, F401  (before torch)


def main() -> int:
    """Run the campaign; the exit code says whether every case ended well."""
    seeds = all_seeds()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000, help="per seed")
    parser.add_argument("--seed", nargs="*", choices=list(seeds), default=list(seeds), metavar="NAME")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--case", type=int, help="only this one of the one seed")
    parser.add_argument("--keep", type=Path, help="write its bytes there")
    given = parser.parse_args()
    chosen = [seeds[name] for name in given.seed]
    if given.case is not None:
        return again(chosen[0], given.case, given.keep)
    outcomes = []
    context = multiprocessing.get_context("spawn")
    started = time.monotonic()
    with ProcessPoolExecutor(given.jobs, mp_context=context) as pool:
        running = [pool.submit(run_named, seed.name, given.cases) for seed in chosen]
        for count, done in enumerate(as_completed(running), start=1):
            outcomes += [] if done.exception() else [done.result()]
            minutes = (time.monotonic() - started) / 60
            print(f"\n{count}/{len(chosen)} {done.exception() or outcomes[-1]}, {minutes:.1f} min", file=sys.stderr)
    show(sorted(outcomes, key=lambda outcome: given.seed.index(outcome.seed)))
    return int(len(outcomes) < len(chosen) or any(outcome.faults for outcome in outcomes))


def again(seed: Seed, case: int, keep: Path | None) -> int:
    """One case in this process."""
    with tempfile.TemporaryDirectory() as folder:
        _, path, content = prepared(seed, Path(folder))
        path.write_bytes(seed.mutated(content, case))
        if keep is not None:
            keep.write_bytes(path.read_bytes())
        try:
            print(f"read: {seed.read(path)!r:.500}")
        except BaseException:  # noqa: BLE001 (it is what is to be seen)
            traceback.print_exc()
    return 0


def show(outcomes: list[Outcome]) -> None:
    """The table, and one case of each kind of fault."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="how spoiled files were taken")
    table.add_column("seed")
    for name in ("cases", *ENDS):
        table.add_column(name, justify="right")
    for outcome in outcomes:
        ends = [outcome.ends[end] for end in ENDS]
        shown = [f"{n:,}" if n or end in GOOD else "" for end, n in zip(ENDS, ends)]
        table.add_row(outcome.seed, f"{sum(ends):,}", *shown)
    sums = [sum(outcome.ends[end] for outcome in outcomes) for end in ENDS]
    table.add_row("all", f"{sum(sums):,}", *(f"{n:,}" for n in sums), style="bold")
    console = Console(width=160)
    console.print(table)
    for outcome in outcomes:
        for case, ended in outcome.faults.values():
            text = f"{ended.end}: {ended.what}\n    python tests/fuzz --seed {outcome.seed} --case {case}"
            console.print(escape(text), highlight=False)


if __name__ == "__main__":
    sys.exit(main())
