"""The house style of every PNG: colours, fonts, headings, and saving without pyplot's global state."""

from __future__ import annotations

import functools
import io
import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from geo_lm4ve import words
from geo_lm4ve.files import atomic_path
from geo_lm4ve.notice import say

INK, MUTED, FAINT = "#1b1f24", "#5f6b7a", "#d9dee5"
"""Text, secondary text, and lines that must not compete with the data."""

RIGHT, WRONG = "#009e73", "#d55e00"
"""Bluish green and vermilion of Okabe and Ito (2008): told apart with every common colour vision deficiency."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5f6b7a")
"""Okabe and Ito's palette without its yellow (too pale for lines on white), then grey."""

ACTIVATION = "RdPu"
"""The palette of activations; its first 15 % are left out: too pale on white."""

DPI = 150
"""Pixels per inch of every PNG."""

NAME = 32
"""Characters of a class, run or scene name that a picture shows beside others; pages and files hold it whole."""

MAX_PIXELS, MAX_SIDE = 32_000_000, 32_000
"""Largest picture: a larger figure is drawn with fewer pixels per inch."""

_ADVANCE = 0.7
"""Mean width of a character in font sizes, a little on the safe side."""
_SMALLEST = 5.0
"""Font size that can still be read; where a text does not fit at that, its middle is left out."""
_MISSING = "\u25a1"
"""Stands for a character that the font does not have."""


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

    A ``$`` in a class or file name stays a dollar sign. Where the text may be long, ``fitted`` comes first.
    """
    width, height = figure.get_size_inches()
    style = {"color": INK, "va": "top", "parse_math": False, **style}
    figure.text(left / width, 1 - top / height, text, fontsize=size, **style)


def heading(figure: Figure, title: str, note: str = "", *, left: float = 0.2, synthetic: bool = False) -> None:
    """Title in the upper left corner with a note below it, both on one line each; generated data is called so."""
    room = figure.get_size_inches()[0] - 2 * left
    title, size = fitted(mark_synthetic(title, synthetic), 12, room)
    write(figure, left, 0.16, title, size=size, weight="bold")
    if note:
        note, size = fitted(note, 8.5, room, rows=2)
        write(figure, left, 0.44, note, size=size, color=MUTED)


def fitted(text: str, size: float, room: float, *, rows: int = 1) -> tuple[str, float]:
    """A text and the font size, ``size`` or smaller, at which it is about ``room`` inches long.

    What is too long at the smallest size that can be read loses its middle; line breaks beyond ``rows`` are spelt out.
    """
    most = int(72 * room / (_ADVANCE * _SMALLEST))
    shown = [legible(part, most) for part in text.split("\n", rows - 1)]
    longest = max(map(len, shown))
    return "\n".join(shown), min(size, 72 * room / (_ADVANCE * longest)) if longest else size


def legible(text: object, room: int = NAME) -> str:
    """A text of at most ``room`` characters on one line, all of which the font has."""
    return "".join(one if ord(one) in _characters() else _MISSING for one in words.short(text, room))


def wrapped(text: object, size: float, room: float, *, rows: int) -> list[str]:
    """A text in lines of about ``room`` inches at a font size; beyond ``rows`` lines it is cut and that is said (…)."""
    width = max(int(72 * room / (_ADVANCE * size)), 1)
    found = textwrap.wrap(legible(text, 2 * width * rows), width)
    return found if len(found) <= rows else [*found[: rows - 1], found[rows - 1][: width - 1] + "…"]


@functools.cache
def _characters() -> frozenset[int]:
    """Characters that a text can show, bold or not."""
    found: set[int] | None = None
    for weight in ("normal", "bold"):
        fonts = [FontProperties(family=[family], weight=weight) for family in FontProperties().get_family()]
        known = {code for font in fonts for code in get_font(findfont(font)).get_charmap()}
        found = known if found is None else found & known
    return frozenset(found or ())


def legend(owner: Axes | Figure, handles: Sequence[Line2D], **place: Any) -> None:
    """A legend whose labels show as they are: ``$`` is no formula, a leading underscore hides no line."""
    if not handles:
        return
    made = owner.legend(handles=list(handles), labels=["."] * len(handles), frameon=False, **place)
    for text, handle in zip(made.get_texts(), handles):
        text.set_parse_math(False)
        text.set_text(legible(handle.get_label(), 40))


def frame(axes: Axes, corner: tuple[float, float], width: float, height: float, correct: bool | None) -> None:
    """A frame from its upper left corner on axes in inches, y down; its colour and a mark say right or wrong."""
    colour = FAINT if correct is None else RIGHT if correct else WRONG
    rounded = "round,pad=0,rounding_size=0.08"
    axes.add_patch(
        FancyBboxPatch(corner, width, height, boxstyle=rounded, edgecolor=colour, facecolor="none", linewidth=2)
    )
    if correct is not None:
        mark, place = "✓" if correct else "✗", (corner[0] + 0.08, corner[1] + 0.07)
        axes.text(*place, mark, color=colour, fontsize=12, weight="bold", va="top")


def activation_colours(values: Float[np.ndarray, " n"], *scales: Float[np.ndarray, " _"]) -> list[str]:
    """Colours of activations, pale pink to purple, on the scale of ``values`` and ``scales`` together; NaN is grey."""
    everything = np.concatenate([values, *scales])
    finite = everything[np.isfinite(everything)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    shade = (values - low) / max(high - low, 1e-12)
    palette = colormaps[ACTIVATION]
    return [to_hex(palette(0.15 + 0.85 * x)) if np.isfinite(x) else "#c8ced6" for x in shade]


def mark_synthetic(title: str, synthetic: bool) -> str:
    """``title``, with the words "synthetic data" if the data is and the title does not say so yet."""
    return f"{title} · synthetic data" if synthetic and "synthetic" not in title.lower() else title


def save(figure: Figure, path: Path | str, *, colours: int | None = None) -> None:
    """Write the figure as a PNG that is either whole or absent; with 256 ``colours`` it has a third of the size.

    A figure of more than MAX_PIXELS, or MAX_SIDE in one direction, gets fewer pixels per inch, and it is said.
    """
    rendered = io.BytesIO()
    width, height = map(float, figure.get_size_inches())
    dpi = min(DPI, math.sqrt(MAX_PIXELS / (width * height)), MAX_SIDE / max(width, height))
    if dpi < DPI:
        say(f"{path}: {width:.0f} x {height:.0f} inches are drawn with {dpi:.0f} instead of {DPI} pixels per inch")
    figure.savefig(rendered, format="png", dpi=dpi)
    picture = Image.open(rendered).convert("RGB")
    if colours is not None:
        picture = picture.quantize(colours, dither=Image.Dither.NONE)
    with atomic_path(path) as temporary:
        picture.save(temporary, format="PNG", optimize=True)
