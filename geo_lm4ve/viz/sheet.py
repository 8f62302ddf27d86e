"""Many samples on one sheet: what each one is, what a model took it for, and how sure it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from geo_lm4ve.viz import style
from geo_lm4ve.viz.cards import Judged
from geo_lm4ve.words import line

CELL, CAPTION, GAP = 1.75, 0.44, 0.14
"""Inches: side of a picture, height of the caption under it, distance between neighbours."""

Corners = Sequence[tuple[float, float]]
"""Left and top of each picture in the axes of a sheet, which count inches to the right and downwards."""


def sheet_png(
    path: Path | str,
    draw: Callable[[Axes, Corners], None],
    captions: Sequence[str],
    correct: Sequence[bool] | None,
    title: str,
    *,
    probabilities: Sequence[float] | None = None,
    columns: int = 6,
    note: str = "",
    synthetic: bool = False,
) -> None:
    """Draw pictures side by side; a frame and a mark say right or wrong.

    Args:
        path: PNG to write.
        draw: draws all pictures, CELL by CELL inches each.
        captions: K texts; the first line is bold (the predicted class), a second one is not (say, the true class).
        correct: K flags, or None where no truth is known.
        title: what is shown.
        probabilities: K probabilities of the prediction in 0..1, drawn as a bar with its percentage.
        columns: pictures per row.
        note: a line below the title; by default how many were right.
        synthetic: say in the title that the data is generated.

    Raises:
        ValueError: no picture, or lists of different lengths.
    """
    if not captions:
        raise ValueError("a contact sheet needs at least one picture")
    for name, values in (("flags", correct), ("probabilities", probabilities)):
        if values is not None and len(values) != len(captions):
            raise ValueError(f"{len(captions)} captions, but {len(values)} {name}")
    columns = min(columns, len(captions))
    rows = math.ceil(len(captions) / columns)
    step_x, step_y, top = CELL + GAP, CELL + CAPTION + GAP, 0.78
    width, height = columns * step_x + 0.26, rows * step_y + 0.1
    figure = style.new_figure(max(width, 4.0), top + height)
    if correct is not None and not note:
        note = f"{sum(correct)} of {len(correct)} right"
    style.heading(figure, title, note, synthetic=synthetic)
    axes = style.new_axes(figure, 0, top, width, height)
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    corners = [(0.2 + step_x * (k % columns), 0.03 + step_y * (k // columns)) for k in range(len(captions))]
    draw(axes, corners)
    for k, corner in enumerate(corners):
        style.frame(axes, corner, CELL, CELL, None if correct is None else bool(correct[k]))
        _draw_caption(axes, corner, captions[k], None if probabilities is None else float(probabilities[k]))
    style.save(figure, path, colours=256)


def predictions(samples: Sequence[Judged]) -> dict[str, Any]:
    """What ``sheet_png`` takes of samples that were classified: captions, flags, probabilities and a note."""
    return {
        "captions": [f"{line(one.top[0][0])}\n{line(one.true or '')}" for one in samples],
        "correct": [bool(one.correct) for one in samples],
        "probabilities": [one.top[0][1] for one in samples],
        "note": "predicted class in bold, true class below; errors are shown more often than they occur",
    }


def _draw_caption(axes: Axes, corner: tuple[float, float], caption: str, probability: float | None) -> None:
    left, top = corner[0] + 0.02, corner[1] + CELL + 0.07
    first, _, second = caption.partition("\n")
    room = 24 if probability is None else 19
    first, second = style.legible(first, room), style.legible(second, 28)
    axes.text(left, top, first, fontsize=8, weight="bold", va="top", color=style.INK, parse_math=False)
    below = top + (0.16 if probability is None else 0.235)
    axes.text(left, below, second, fontsize=7.5, va="top", color=style.MUTED, parse_math=False)
    if probability is not None:
        right = corner[0] + CELL
        axes.text(right, top, f"{probability:.0%}", fontsize=8, ha="right", va="top", color=style.INK)
        axes.add_patch(Rectangle((corner[0], top + 0.165), CELL, 0.035, color=style.FAINT, linewidth=0))
        axes.add_patch(Rectangle((corner[0], top + 0.165), CELL * probability, 0.035, color=style.MUTED, linewidth=0))
