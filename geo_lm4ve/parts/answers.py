"""Answers about files, printed: on a terminal within its width, else one line per file for other programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Column, Table

from geo_lm4ve.parts.task import Answers
from geo_lm4ve.words import line, marked

WIDEST = 100_000
"""Columns of a terminal on which every table fits."""


def print_answers(answers: Answers, console: Console | None = None) -> None:
    """Print a table of answers and what is to be said below it.

    A terminal shows of every path what tells it from the others, as a table where that fits the width, else the file on
    one line and its answers below. Elsewhere every row is a line of its own: path as given, a tab, an answer, a tab, …

    Args:
        answers: the first column names files or the like.
        console: where to; default: standard output.
    """
    console = console or Console()
    if console.is_terminal:
        _show(answers, console)
    else:
        for row in (answers.columns, *answers.rows):
            print("\t".join(map(line, row)), file=console.file)
    if answers.note:
        print(line(answers.note), file=console.file)


def _show(answers: Answers, console: Console) -> None:
    shown = answers.rows[: answers.shown]
    names = tails([row[0] for row in shown])
    table = Table(*(Column(marked(name)) for name in answers.columns))
    for name, row in zip(names, shown):
        table.add_row(*map(marked, (name, *row[1:])))
    if Measurement.get(console, console.options.update(width=WIDEST), table).maximum <= console.width:
        console.print(table)
        return
    for name, row in zip([answers.columns[0], *names], [answers.columns, *shown]):
        console.print(marked((name, "bold")), overflow="fold")
        console.print(Padding(marked(" | ".join(row[1:])), (0, 0, 0, 2)), overflow="fold")


def tails(paths: Sequence[str]) -> list[str]:
    """The shortest end of every path that no other path ends in, in whole names; equal paths stay whole."""
    parts = [PurePath(path).parts for path in paths]
    found = [""] * len(paths)
    left = list(range(len(paths)))
    for length in range(1, max(map(len, parts), default=0) + 1):
        seen = Counter(parts[row][-length:] for row in left)
        for row in left:
            if seen[parts[row][-length:]] == 1:
                found[row] = str(PurePath(*parts[row][-length:]))
        left = [row for row in left if not found[row]]
    return [short or path for short, path in zip(found, paths)]
