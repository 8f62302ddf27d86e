"""A comparison as terminal table, Markdown, CSV or JSON, its circumstances always below it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from geo_lm4ve.compare.comparison import Comparison, Row
from geo_lm4ve.compare.cost import cost_cell, cost_columns, cost_text, cost_value
from geo_lm4ve.compare.runs import ReportError
from geo_lm4ve.compare.statistics import Cell, Difference
from geo_lm4ve.files import to_json as json_text
from geo_lm4ve.files import write_text
from geo_lm4ve.words import line as one_line
from geo_lm4ve.words import marked


def print_comparison(comparison: Comparison, console: Console) -> None:
    """The table, the differences, the warnings and the circumstances."""
    for title, header, rows in _tables(comparison):
        table = Table(title=marked((title, "table.title")), title_justify="left")
        for place, name in enumerate(header):
            table.add_column(marked(name), justify="left" if place < len(comparison.by) else "right", overflow="fold")
        for row in rows:
            table.add_row(*map(marked, row))
        console.print(table)
    for text in all_warnings(comparison):
        console.print(marked(("WARNING", "bold yellow"), " ", text))
    for name, values in comparison.circumstances.items():
        console.print(marked((name, "bold"), ": ", ", ".join(values)))


def to_markdown(comparison: Comparison) -> str:
    """Tables, warnings and circumstances as GitHub Markdown."""
    parts = []
    for title, header, rows in _tables(comparison):
        left = len(comparison.by)
        rule = [":--" if place < left else "--:" for place in range(len(header))]
        lines = ["| " + " | ".join(map(_cell_text, line)) + " |" for line in (header, rule, *rows)]
        parts.append(f"**{title}**\n\n" + "\n".join(lines))
    flagged = all_warnings(comparison)
    if flagged:
        parts.append("\n".join(f"> **Warning:** {one_line(text)}" for text in flagged).replace("\n", "\n>\n"))
    facts = comparison.circumstances.items()
    parts.append("\n".join(one_line(f"- {name}: {', '.join(values)}") for name, values in facts))
    return "\n\n".join(parts) + "\n"


def to_csv(comparison: Comparison) -> str:
    """One line per row and metric, numbers in full precision; the circumstances follow as comment lines (``#``).

    What its runs cost, on average, is in every line of a row.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    extra = ["difference", "standard_error", "low95", "high95", "kind"] if comparison.baseline else []
    costs = cost_columns(comparison.rows)
    writer.writerow([*comparison.by, "metric", "mean", "std", "seeds", *extra, *costs])
    for row in comparison.rows:
        spent = [cost_value(row, name) for name in costs]
        for metric in comparison.metrics:
            if (cell := row.cell(metric)) is None:
                continue
            line = [*row.key, metric, cell.mean, _blank(cell.std), cell.count]
            found = comparison.differences.get((row.key, metric))
            if extra:
                line += _difference_values(found)
            writer.writerow([*line, *spent])
    for warning in all_warnings(comparison):
        text.write(one_line(f"# WARNING {warning}") + "\n")
    for name, values in comparison.circumstances.items():
        text.write(one_line(f"# {name}: {', '.join(values)}") + "\n")
    return text.getvalue()


def to_json(comparison: Comparison) -> str:
    """Everything, for machines."""
    rows = [
        {
            "key": dict(zip(comparison.by, row.key)),
            "runs": [str(run.folder) for run in row.runs],
            "metrics": {
                metric: _json_cell(cell, comparison.differences.get((row.key, metric)))
                for metric in comparison.metrics
                if (cell := row.cell(metric)) is not None
            },
            "cost": {
                name: _json_cell(cell, None)
                for name in cost_columns(comparison.rows)
                if (cell := cost_cell(row, name)) is not None
            },
        }
        for row in comparison.rows
    ]
    content = {
        "by": comparison.by,
        "rows": rows,
        "circumstances": comparison.circumstances,
        "warnings": comparison.warnings,
        "unfinished": [str(folder) for folder in comparison.unfinished],
        "unreadable": {str(folder): reason for folder, reason in comparison.unreadable.items()},
    }
    return json_text(content, indent=2) + "\n"


FORMATS: dict[str, Callable[[Comparison], str]] = {".md": to_markdown, ".csv": to_csv, ".json": to_json}
"""File name suffix -> writer."""


def write_comparison(comparison: Comparison, path: Path | str) -> None:
    """Write the comparison in the format that the file name's suffix says; ReportError for any other suffix."""
    suffix = Path(path).suffix
    if suffix not in FORMATS:
        raise ReportError(f"cannot write {path}: the suffix must be one of {', '.join(FORMATS)}")
    write_text(path, FORMATS[suffix](comparison))


def all_warnings(comparison: Comparison) -> list[str]:
    """The warnings, and one sentence each about unfinished and unreadable runs."""
    texts = list(comparison.warnings)
    if comparison.unfinished:
        named = ", ".join(map(str, comparison.unfinished))
        texts.append(f"unfinished runs are left out ({len(comparison.unfinished)}): {named}")
    texts += [f"{folder} is left out: {reason}" for folder, reason in comparison.unreadable.items()]
    return texts


def _tables(comparison: Comparison) -> list[tuple[str, list[str], list[list[str]]]]:
    """(title, header, rows) of the table of means and, with a baseline, of the table of differences."""
    decimals = {metric: _decimals(comparison.rows, metric) for metric in comparison.metrics}
    costs = cost_columns(comparison.rows)
    body = [
        [
            *row.key,
            str(len(row.runs)),
            *(cost_text(row, name) for name in costs),
            *(_mean(row.cell(metric), decimals[metric]) for metric in comparison.metrics),
        ]
        for row in comparison.rows
    ]
    tables = [
        ("mean ± sample standard deviation over seeds", [*comparison.by, "seeds", *costs, *comparison.metrics], body)
    ]
    if comparison.baseline:
        rows = [
            [*key, metric, *_difference_texts(found, decimals[metric])]
            for (key, metric), found in comparison.differences.items()
        ]
        header = [*comparison.by, "metric", "difference", "standard error", "95 % interval", "kind"]
        names = sorted({" ".join(key) for key in comparison.baseline.values()})
        kinds = "paired: seed by seed; Welch: independent runs of unequal variance"
        tables.append((f"difference of the means to {', '.join(names)} ({kinds})", header, rows))
    return tables


def _decimals(rows: Sequence[Row], metric: str) -> int:
    """Digits after the point: 4 for shares of one, fewer for larger numbers."""
    largest = max((abs(cell.mean) for row in rows if (cell := row.cell(metric))), default=0.0)
    return 4 if largest <= 1 else 3 if largest < 10 else 2


def _mean(cell: Cell | None, decimals: int) -> str:
    if cell is None:
        return "–"
    return f"{cell.mean:.{decimals}f}" + ("" if cell.std is None else f" ± {cell.std:.{decimals}f}")


def _difference_texts(found: Difference, decimals: int) -> list[str]:
    value = f"{found.value:+.{decimals}f}"
    if found.error is None or found.low is None or found.high is None:
        return [value, "one seed", "–", found.kind]
    interval = f"{found.low:+.{decimals}f} to {found.high:+.{decimals}f}"
    return [value, f"{found.error:.{decimals}f}", interval, found.kind]


def _difference_values(found: Difference | None) -> list[Any]:
    if found is None:
        return [""] * 5
    return [found.value, _blank(found.error), _blank(found.low), _blank(found.high), found.kind]


def _json_cell(cell: Cell, found: Difference | None) -> dict[str, Any]:
    values = {str(seed): value for seed, value in cell.values.items()}
    content: dict[str, Any] = {"mean": cell.mean, "std": cell.std, "values": values}
    return content if found is None else {**content, "difference": vars(found)}


def _blank(value: float | None) -> float | str:
    return "" if value is None else value


def _cell_text(text: str) -> str:
    return one_line(text).replace("|", "\\|")
