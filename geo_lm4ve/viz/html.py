"""One HTML file with everything in it: numbers, tables, pictures and clouds to turn. It never asks the network."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from geo_lm4ve.files import write_text
from geo_lm4ve.viz.page import asset, page
from geo_lm4ve.words import html as escape

_SHORT = 100
"""Characters of a nested fact that is shown unfolded."""
_NUMBER = re.compile(r"[-+−]?[\d.,]+(e[-+]?\d+)?( ?%)?( ± [\d.,]+)?$|–$")
MAX_BYTES = 3_000_000
"""Size limit of a page: it must open at once and go through mail."""


@dataclass(frozen=True)
class PageTable:
    """A table of a page.

    Attributes:
        title: heading above it.
        columns: names of the columns.
        rows: one sequence per row; columns of numbers are set to the right.
        note: a line under the heading.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""


def html_report(
    path: Path | str,
    title: str,
    summary: Mapping[str, Any],
    *,
    highlights: Mapping[str, str] | None = None,
    tables: Sequence[PageTable] = (),
    pictures: Mapping[str, Path] | None = None,
    samples: tuple[str, str] | None = None,
    note: str = "",
    synthetic: bool = False,
) -> None:
    """Write one self-contained HTML page, light or dark as the reader's system is.

    Args:
        path: file to write.
        title: heading of the page.
        summary: how the numbers were made (data set, samples, seed, commit, ...); values may be nested.
        highlights: the few numbers that matter, as text ("overall accuracy": "87.3 %"), set large.
        tables: further tables.
        pictures: caption -> PNG file; embedded.
        samples: heading and HTML of what a data source shows of its samples (``DataSource.exhibit``).
        note: a line under the title.
        synthetic: mark the page as made from generated data.

    Raises:
        ValueError: the page would exceed MAX_BYTES, or a picture cannot be shown; the culprit is named.
    """
    parts = {
        "numbers": _section("How these numbers were made", _facts(summary)),
        "samples": _section(*samples) if samples else "",
        "pictures": _section("Pictures", _pictures(pictures)) if pictures else "",
        "tables": "".join(_section(table.title, _table(table)) for table in tables),
    }
    text = page(
        title,
        Template(asset("geo_lm4ve.viz", "report.html")).substitute(body="\n".join(parts.values())),
        css=asset("geo_lm4ve.viz", "report.css"),
        js=asset("geo_lm4ve.viz", "turntable.js") + asset("geo_lm4ve.viz", "report.js"),
        note=note,
        highlights=highlights,
        synthetic=synthetic,
    )
    if (size := len(text.encode())) > MAX_BYTES:
        shares = ", ".join(f"{name} {len(part) / 1e6:.2f} MB" for name, part in parts.items())
        raise ValueError(f"{path} would have {size / 1e6:.2f} MB, the limit is {MAX_BYTES / 1e6:.0f} MB: {shares}")
    write_text(path, text)


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>\n" if body else ""


def _facts(summary: Mapping[str, Any]) -> str:
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{_fact(value)}</dd></div>" for name, value in summary.items())
    return f'<dl class="facts">{rows}</dl>' if rows else ""


def _fact(value: Any) -> str:
    """A mapping in one line if it is short, else one line per entry, folded away."""
    if not isinstance(value, Mapping):
        return escape(as_text(value))
    entries = [escape(f"{key}: {as_text(item)}") for key, item in value.items()]
    if sum(map(len, entries)) <= _SHORT:
        return " · ".join(entries) or "–"
    return f"<details><summary>{len(entries)} entries</summary>{'<br>'.join(entries)}</details>"


def _table(table: PageTable) -> str:
    numeric = [all(_NUMBER.match(as_text(row[column])) for row in table.rows) for column in range(len(table.columns))]
    kinds = [' class="number"' if is_number else "" for is_number in numeric]
    head = "".join(f"<th{kind}>{escape(name)}</th>" for kind, name in zip(kinds, table.columns))
    body = "\n".join(
        "<tr>" + "".join(f"<td{kind}>{escape(as_text(value))}</td>" for kind, value in zip(kinds, row)) + "</tr>"
        for row in table.rows
    )
    note = f'<p class="hint">{escape(table.note)}</p>' if table.note else ""
    return f'{note}<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def _pictures(pictures: Mapping[str, Path]) -> str:
    return f'<div class="pictures">{"".join(_picture(caption, path) for caption, path in pictures.items())}</div>'


def _picture(caption: str, path: Path) -> str:
    content = Path(path).read_bytes()
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError(f"picture {caption!r}: {path} is not a PNG file")
    data = base64.b64encode(content).decode("ascii")
    image = f'<img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
    return f'<figure><button type="button">{image}</button><figcaption>{escape(caption)}</figcaption></figure>'


def as_text(value: Any) -> str:
    """A value as a reader wants it: four significant digits, thousands separated, nested mappings in one line."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {as_text(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(as_text(item) for item in value)
    return str(value)
