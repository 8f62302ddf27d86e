"""A list with filters (all, wrong, right; by type; by words) in a page: its bar, styles and script."""

from __future__ import annotations

from collections.abc import Sequence
from string import Template

from geo_lm4ve.viz.page import asset
from geo_lm4ve.words import html as escape
from geo_lm4ve.words import line

LONGEST = 2000
"""Characters of one text that a page shows."""


def bar(rights: Sequence[bool | None], types: Sequence[str], placeholder: str) -> str:
    """The bar above a list, as HTML; ``listing.js`` fills the list below it.

    Args:
        rights: of each row whether it is right; None: nobody knows. Where nobody knows of any, only "all" is offered.
        types: type of each row.
        placeholder: what words are looked for in.
    """
    counts = {"": ("all", len(rights))}
    if any(right is not None for right in rights):
        counts |= {name: (name, sum(r is (name == "right") for r in rights)) for name in ("wrong", "right")}
    buttons = "\n".join(
        f'<button type="button" data-kind="{kind}" aria-pressed="{str(not kind).lower()}">{name} {count:,}</button>'
        for kind, (name, count) in counts.items()
    )
    options = "".join(f"<option>{escape(kind)}</option>" for kind in sorted(set(types)))
    return Template(asset("geo_lm4ve.viz", "listing.html")).substitute(
        buttons=buttons, types=options, placeholder=escape(placeholder)
    )


def text(value: str) -> str:
    """A text for a row: on one line, every character that acts spelt out, cut where it is longer than anyone reads."""
    value = line(value)
    return value if len(value) <= LONGEST else value[:LONGEST] + "…"


def css() -> str:
    """Styles of the bar and what is below it."""
    return asset("geo_lm4ve.viz", "listing.css")


def js() -> str:
    """The script that a page's own script calls as ``listing(rows, card)``."""
    return asset("geo_lm4ve.viz", "listing.js")
