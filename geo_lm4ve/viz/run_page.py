"""The page of a run: what every task tells of its results in the same way, besides its own tables and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from geo_lm4ve.costs import KINDS, Cost, cost_of, figure
from geo_lm4ve.viz.html import PageTable, html_report

SHOWN_ELSEWHERE = ("metrics", "config", "cost")
"""Entries of ``results.json`` that are no facts of a list: numbers of their own, or too long."""


def run_report(
    path: Path | str, title: str, results: Mapping[str, Any], *, tables: Sequence[PageTable] = (), **more: Any
) -> None:
    """Write the page of a run: how its numbers were made, the task's tables, and what a forward pass costs.

    Args:
        path: file to write.
        title: heading of the page.
        results: content of ``results.json``.
        tables: of the task.
        more: what else ``html_report`` takes.

    Raises:
        ValueError: as of ``html_report``, or the results hold a cost that nobody measured.
    """
    summary = {key: value for key, value in results.items() if key not in SHOWN_ELSEWHERE}
    cost = cost_of(results)
    html_report(path, title, summary, tables=[*tables, *([cost_table(cost)] if cost else [])], **more)


def cost_table(cost: Cost) -> PageTable:
    """GFLOPs of every part of the model, and how long a pass takes."""
    parts = {part: [spent[kind] / 1e9 for kind in KINDS] for part, spent in cost.flops_per_sample.items()}
    parts["all"] = [cost.gflops(kind) for kind in KINDS]
    rows = [[part, *map(figure, spent), figure(sum(spent))] for part, spent in parts.items()]
    note = f"Milliseconds per sample: {cost.rows['ms per sample']}. Measured: {cost.said}."
    return PageTable("Cost of a forward pass, in GFLOPs per sample", ["part", *KINDS, "both"], rows, note)
