"""The house style of every PNG: colours, fonts, headings, and saving without pyplot's global state."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from geo_lm4ve.files import atomic_path

INK, MUTED, FAINT = "#1b1f24", "#5f6b7a", "#d9dee5"
"""Text, secondary text, and lines that must not compete with the data."""

RIGHT, WRONG = "#009e73", "#d55e00"
"""Bluish green and vermilion of Okabe and Ito (2008): told apart with every common colour vision deficiency."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5f6b7a")
"""Okabe and Ito's palette without its yellow (too pale for lines on white), then grey."""

DPI = 150
"""Pixels per inch of every PNG."""

_ADVANCE = 0.7
"""Mean width of a character in font sizes, a little on the safe side."""


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure of ``width`` x ``height`` inches; it belongs to the caller and to nobody else."""
    return Figure(figsize=(width, height), dpi=DPI, facecolor="white")


def new_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes placed in inches, measured from the figure's upper left corner."""
    full_width, full_height = figure.get_size_inches()
    bottom = full_height - top - height
    rect = (left / full_width, bottom / full_height, width / full_width, height / full_height)
    axes = figure.add_axes(rect)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=8)
    return axes


def write(figure: Figure, left: float, top: float, text: str, *, size: float, **style: Any) -> None:
    """Text with its upper left corner at (``left``, ``top``) inches from the figure's upper left corner.

    A ``$`` in a class or file name stays a dollar sign.
    """
    width, height = figure.get_size_inches()
    style = {"color": INK, "va": "top", "parse_math": False, **style}
    figure.text(left / width, 1 - top / height, text, fontsize=size, **style)


def heading(figure: Figure, title: str, note: str = "", *, left: float = 0.2, synthetic: bool = False) -> None:
    """Title in the upper left corner with a note below it, both on one line each; generated data is called so."""
    room = figure.get_size_inches()[0] - 2 * left
    title = mark_synthetic(title, synthetic)
    write(figure, left, 0.16, title, size=fitting_size(title, 12, room), weight="bold")
    if note:
        write(figure, left, 0.44, note, size=fitting_size(note, 8.5, room), color=MUTED)


def fitting_size(text: str, size: float, room: float) -> float:
    """Font size, ``size`` or smaller, at which the longest line of a text is about ``room`` inches long."""
    longest = max(map(len, text.split("\n")))
    return min(size, 72 * room / (_ADVANCE * longest)) if longest else size


def mark_synthetic(title: str, synthetic: bool) -> str:
    """``title``, with the words "synthetic data" if the data is and the title does not say so yet."""
    return f"{title} · synthetic data" if synthetic and "synthetic" not in title.lower() else title


def save(figure: Figure, path: Path | str, *, colours: int | None = None) -> None:
    """Write the figure as a PNG that is either whole or absent; with 256 ``colours`` it has a third of the size."""
    rendered = io.BytesIO()
    figure.savefig(rendered, format="png", dpi=DPI)
    picture = Image.open(rendered).convert("RGB")
    if colours is not None:
        picture = picture.quantize(colours, dither=Image.Dither.NONE)
    with atomic_path(path) as temporary:
        picture.save(temporary, format="PNG", optimize=True)
