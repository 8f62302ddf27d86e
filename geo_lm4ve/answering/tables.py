"""Tables of scores for a terminal: metrics downwards, so that 80 columns are enough."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from geo_lm4ve.answering.results import circumstances
from geo_lm4ve.words import marked, short

TITLE = 100
"""Characters of a title that are shown."""


def print_scores(results: Mapping[str, Any], console: Console) -> None:
    """One protocol: all questions and every type, then the circumstances."""
    groups = {"all": {"samples": results["samples"], **results["metrics"]}, **results["by_type"]}
    console.print(_table(_title(results), groups, list(results["metrics"])))
    for text in circumstances(results):
        console.print(marked(text))


def print_all(results: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Many protocols of the same answers: one table; a dash where a protocol has no such metric."""
    names = list(dict.fromkeys(name for one in results for name in one["metrics"]))
    groups = {
        one["protocol"].partition(":")[2].replace("-", "-\n"): {"samples": one["samples"], **one["metrics"]}
        for one in results
    }  # fmt: skip
    console.print(_table(f"{_title(results[0])}, by every protocol", groups, names))
    for text in dict.fromkeys(text for one in results for text in circumstances(one)):
        console.print(marked(text))


def print_comparison(comparison: Mapping[str, Any], console: Console) -> None:
    """Differences of two systems with their intervals, all questions first."""
    title = short(f"{comparison['predictions']} against {comparison['against']}, {comparison['protocol']}", TITLE)
    table = Table(title=marked((title, "table.title")), caption=comparison["method"], box=box.SIMPLE)
    for name in ("type", "metric"):
        table.add_column(name)
    for name in ("one", "other", "difference", "interval"):
        table.add_column(name, justify="right")
    for kind, group in comparison["difference"].items():
        first = f"{kind} ({group['samples']:,})"
        for place, (name, value) in enumerate(group["metrics"].items()):
            table.add_row(marked("" if place else first), name, *_compared(value))
        table.add_section()
    console.print(table)


def number(value: float) -> str:
    """A percentage as papers print it, a dash for none."""
    return f"{value:.2f}" if math.isfinite(value) else "–"


def _compared(value: Mapping[str, float]) -> tuple[str, str, str, str]:
    interval = f"[{value['low']:+.2f}, {value['high']:+.2f}]"
    return number(value["one"]), number(value["other"]), f"{value['difference']:+.2f}", interval


def _table(title: str, groups: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> Table:
    """A column for each group, a row for each metric."""
    table = Table(title=marked((title, "table.title")), box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for group in groups:
        table.add_column(group, justify="right", overflow="fold")
    table.add_row("questions", *(f"{values['samples']:,}" for values in groups.values()), end_section=True)
    for name in names:
        table.add_row(name, *(number(values.get(name, math.nan)) for values in groups.values()))
    return table


def _title(results: Mapping[str, Any]) -> str:
    return short(f"{results['predictions']} on {results['data']}", TITLE)
