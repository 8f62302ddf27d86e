"""The frame of every HTML page: one file, light or dark as the reader's system is, that never asks the network."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from string import Template

from geo_lm4ve.words import html as escape


def page(
    title: str,
    body: str,
    *,
    css: str = "",
    js: str = "",
    note: str = "",
    highlights: Mapping[str, str] | None = None,
    synthetic: bool = False,
) -> str:
    """The whole page as text.

    Args:
        title: heading, as plain text.
        body: HTML below the heading.
        css: styles besides the common ones (``base.css``).
        js: script, run when the body is there.
        note: a line under the title, as plain text.
        highlights: the few numbers that matter, as text ("overall accuracy": "87.3 %"), set large.
        synthetic: mark the page as made from generated data.
    """
    return Template(asset("geo_lm4ve.viz", "page.html")).substitute(
        title=escape(title),
        badge='<span class="badge">synthetic data</span>' if synthetic else "",
        note=f'<p class="note">{escape(note)}</p>' if note else "",
        tiles=_tiles(highlights or {}),
        css=asset("geo_lm4ve.viz", "base.css") + css,
        body=body,
        js=js,
    )


def asset(room: str, name: str) -> str:
    """Text of a file in the folder ``assets`` of a package, e.g. of ``geo_lm4ve.viz``."""
    return resources.files(room).joinpath("assets", name).read_text(encoding="utf-8")


def _tiles(highlights: Mapping[str, str]) -> str:
    tiles = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
        for name, value in highlights.items()
    )
    return f'<div class="tiles">{tiles}</div>' if tiles else ""
