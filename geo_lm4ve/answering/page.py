"""A page of answers to look through: wrong or right, by type, by words; one HTML file that asks no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from geo_lm4ve.answering.items import Item
from geo_lm4ve.answering.tables import number
from geo_lm4ve.files import to_json
from geo_lm4ve.viz import choice, listing
from geo_lm4ve.viz.html import MAX_BYTES, PageTable, html_report
from geo_lm4ve.viz.page import asset
from geo_lm4ve.words import script

PAGE_BYTES = 200_000
"""What a page takes besides its answers."""
SUMMARY = (
    "protocol", "source", "cleaning", "tokeniser", "references", "denominator", "samples", "missing", "extra",
    "split_size", "prompt", "predictions", "data", "bugs", "notes",
)  # fmt: skip
"""Of the results, what the page says about how the numbers were made."""


def write_page(path: Path, items: Sequence[Item], results: Mapping[str, Any]) -> None:
    """Write the page.

    Args:
        path: ``.html`` file to write.
        items: answers, in the order of the questions; as many as fit are shown, evenly spaced, and it is said.
        results: of all answers (``results_of``).
    """
    shown = fitting(items)
    note = "" if len(shown) == len(items) else f"{len(shown):,} of {len(items):,} answers, evenly spaced, are listed."
    names = list(results["metrics"])
    kinds = [[kind, values["samples"], *_numbers(values, names)] for kind, values in results["by_type"].items()]
    html_report(
        path,
        f"{Path(results['predictions']).name} on {Path(results['data']).name}",
        {key: results[key] for key in SUMMARY if results[key]},
        highlights=dict(zip(names, _numbers(results["metrics"], names))),
        tables=[PageTable("By type of question", ["type", "questions", *names], kinds)],
        samples=("Answers", fragment(shown)),
        note=note,
    )


def _numbers(values: Mapping[str, float], names: Sequence[str]) -> list[str]:
    return [number(values[name]) for name in names]


def fragment(items: Sequence[Item]) -> str:
    """The list with its filters, as HTML."""
    names = list(items[0].values) if items else []
    placeholder = "words of question or answer, scene, id"
    return Template(asset("geo_lm4ve.answering", "answers.html")).substitute(
        bar=listing.bar([item.right for item in items], [item.type for item in items], placeholder),
        css=listing.css() + asset("geo_lm4ve.answering", "answers.css"),
        js=listing.js() + asset("geo_lm4ve.answering", "answers.js"),
        data=script(to_json({"names": names, "rows": [_row(item) for item in items]})),
    )


def fitting(items: Sequence[Item]) -> list[Item]:
    """As many of the items, evenly spaced over them, as one page holds."""
    sizes = [len(script(to_json(_row(item)))) + 2 for item in items]
    return [items[place] for place in choice.fitting(sizes, MAX_BYTES - PAGE_BYTES)]


def _row(item: Item) -> list[Any]:
    """A row of the page's data, in the order that ``answers.js`` expects."""
    said = None if item.guess is None else listing.text(item.guess)
    texts = [listing.text(one) for one in (item.id, item.scene, item.type, item.question, item.situation)]
    values = [f"{value:.4g}" for value in item.values.values()]
    return [*texts, said, item.right, [listing.text(one) for one in item.references], values]
