"""What the runs of a row cost: parameters, FLOPs and latency, for columns beside their scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from geo_lm4ve.compare.comparison import Row
from geo_lm4ve.compare.runs import Run
from geo_lm4ve.compare.statistics import Cell
from geo_lm4ve.costs import Cost, cost_of, figure


def _parameters(kind: str) -> Callable[[Run], float | None]:
    return lambda run: run.results.get("parameters", {}).get(kind)


def _measured(value: Callable[[Cost], float]) -> Callable[[Run], float | None]:
    def of(run: Run) -> float | None:
        cost = cost_of(run.results)
        return None if cost is None else value(cost)

    return of


COLUMNS: dict[str, Callable[[Run], float | None]] = {
    "trainable": _parameters("trainable"),
    "frozen": _parameters("frozen"),
    "GFLOPs": _measured(lambda cost: cost.gflops()),
    "frozen GFLOPs": _measured(lambda cost: cost.gflops("frozen")),
    "ms": _measured(lambda cost: cost.evaluated.ms_per_sample),
}
"""Name -> value of one run, None where it does not say: numbers of parameters, then of a forward pass per sample."""


def cost_columns(rows: Sequence[Row]) -> list[str]:
    """Those of ``COLUMNS`` that any run has."""
    return [name for name, of in COLUMNS.items() if any(of(run) is not None for row in rows for run in row.runs)]


def cost_cell(row: Row, name: str) -> Cell | None:
    """One of ``COLUMNS`` over the seeds that have it; None if none has."""
    values = {run.seed: value for run in row.runs if (value := COLUMNS[name](run)) is not None}
    return Cell(values) if values else None


def cost_value(row: Row, name: str) -> float | str:
    """The value, the mean where the runs differ, "" where none has one."""
    if (cell := cost_cell(row, name)) is None:
        return ""
    values = set(cell.values.values())
    return cell.mean if len(values) > 1 else values.pop()


def cost_text(row: Row, name: str) -> str:
    """The value, or the smallest and the largest where the runs differ."""
    cell = cost_cell(row, name)
    ends = [] if cell is None else [min(cell.values.values()), max(cell.values.values())]
    return " to ".join(dict.fromkeys(f"{end:,}" if isinstance(end, int) else figure(end) for end in ends))
