"""Scans with a question and its answer as PNG: one large, or many on a sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from geo_lm4ve.indoor.room import Room
from geo_lm4ve.indoor.viz.asked import Asked
from geo_lm4ve.indoor.viz.cloud import cloud_of
from geo_lm4ve.indoor.viz.drawing import ABOVE, OBLIQUE, draw_cloud, draw_marks, legend_of, scale_bar
from geo_lm4ve.viz import style

POINTS, FEWER = 40_000, 12_000
"""Points drawn at most of a scan: in a picture of its own, and on a sheet."""
WIDTH, HEAD, SIDE, ABOVE_SIDE, FOOT, GAP = 12.0, 0.75, 6.9, 4.5, 0.35, 0.2
"""Inches: the whole, the space above, both views, the space for the legend below, and between them."""
HEIGHT = 5.2
"""Inches: height of both views."""
CELL, CELL_HEIGHT, CAPTION = 2.9, 2.3, 0.72
"""Inches: a picture on a sheet, and its caption."""
LEGEND: dict[str, Any] = {"fontsize": 8, "handlelength": 2.6, "columnspacing": 1.6, "handletextpad": 0.6}
"""How legends look."""


def room_png(
    path: Path | str, room: Room, asked: Asked | None = None, title: str = "", *, synthetic: bool = False
) -> None:
    """Draw one scan, obliquely and from above, with a question, its answer, both boxes and the asker.

    Args:
        path: PNG to write.
        room: the scan.
        asked: what was asked about it; None: the scan alone.
        title: default: name of the scan.
        synthetic: say in the title that the data is generated.

    Raises:
        ValueError: the scan has no points, or some that are not finite.
    """
    cloud = cloud_of(room, POINTS)
    rows = [] if asked is None else _rows(asked)
    figure = style.new_figure(WIDTH, HEAD + HEIGHT + FOOT + sum(map(_height, rows)) + 0.1)
    style.heading(figure, title or room.name, _note(asked), synthetic=synthetic)
    oblique = style.new_axes(figure, GAP, HEAD, SIDE, HEIGHT)
    above = style.new_axes(figure, 2 * GAP + SIDE, HEAD, ABOVE_SIDE, HEIGHT)
    for axes, camera in ((oblique, OBLIQUE), (above, ABOVE)):
        draw_cloud(axes, cloud, camera)
        if asked is not None:
            draw_marks(axes, asked, camera)
    scale_bar(above)
    place = (0.5, 1 - (HEAD + HEIGHT + 0.3) / figure.get_size_inches()[1])
    style.legend(figure, legend_of(asked), loc="lower center", bbox_to_anchor=place, ncols=3, **LEGEND)
    top = HEAD + HEIGHT + FOOT
    for row in rows:
        style.write(figure, GAP, top, row[0], size=row[1], **row[2])
        top += _height(row)
    style.save(figure, path)


def _note(asked: Asked | None) -> str:
    return "" if asked is None else " · ".join(filter(None, [asked.id, asked.type]))


def _rows(asked: Asked) -> list[tuple[str, float, dict[str, Any]]]:
    """Situation, question, what was said and what is right: lines with their size and look."""
    mark, colour = {True: ("✓ ", style.RIGHT), False: ("✗ ", style.WRONG), None: ("", style.INK)}[asked.right]
    texts: tuple[tuple[str, float, int, dict[str, Any]], ...] = (
        (asked.situation, 9, 2, {"color": style.MUTED}),
        (asked.question, 11, 2, {"weight": "bold"}),
        (mark + said_of(asked), 10, 1, {"color": colour}),
        (right_of(asked), 9, 2, {"color": style.MUTED}),
    )
    return [
        (row, size, look)
        for text, size, rows, look in texts
        for row in style.wrapped(text, size, WIDTH - 2 * GAP, rows=rows)
    ]


def _height(row: tuple[str, float, dict[str, Any]]) -> float:
    return 0.022 * row[1]


def said_of(asked: Asked) -> str:
    """The best answer with its probability, and those after it."""
    if not asked.said:
        return "no answer"
    first, *others = (f"{answer or '(empty)'} ({probability:.0%})" for answer, probability in asked.said)
    return first + (f"   then: {', '.join(others)}" if others else "")


def right_of(asked: Asked) -> str:
    """What would have been right, and how much the boxes overlap."""
    answers = f"right: {' | '.join(asked.references)}" if asked.references else ""
    overlap = "" if asked.iou is None else f"IoU of the boxes {asked.iou:.2f}"
    return "   ".join(filter(None, [answers, overlap]))


def rooms_png(
    path: Path | str,
    rooms: Sequence[Room],
    asked: Sequence[Asked | None],
    title: str,
    *,
    note: str = "",
    columns: int = 4,
    synthetic: bool = False,
) -> None:
    """Draw many scans side by side, each with one question; a frame and a mark say right or wrong.

    Args:
        path: PNG to write.
        rooms: K scans; one may come several times.
        asked: K questions; None: the scan alone.
        title: what is shown.
        note: a line below it; by default how many were right.
        columns: scans per row.
        synthetic: say in the title that the data is generated.

    Raises:
        ValueError: no scan, lists of different lengths, or a scan that cannot be drawn (it is named).
    """
    if not rooms or len(rooms) != len(asked):
        raise ValueError(f"a sheet needs scans, each with its question or None, not {len(rooms)} and {len(asked)}")
    columns = min(columns, len(rooms))
    step_x, step_y = CELL + GAP, CELL_HEIGHT + CAPTION + GAP
    width, height = max(GAP + columns * step_x, 5.5), math.ceil(len(rooms) / columns) * step_y
    figure = style.new_figure(width, HEAD + height + 0.3)
    style.heading(figure, title, note or _score(asked), synthetic=synthetic)
    frames = style.new_axes(figure, 0, HEAD, width, height)
    frames.set(xlim=(0, width), ylim=(height, 0))
    frames.set_axis_off()
    for place, (room, one) in enumerate(zip(rooms, asked)):
        left, top = GAP + step_x * (place % columns), step_y * (place // columns) + 0.03
        axes = style.new_axes(figure, left + 0.05, HEAD + top + 0.05, CELL - 0.1, CELL_HEIGHT - 0.1)
        draw_cloud(axes, cloud_of(room, FEWER), OBLIQUE)
        if one is not None:
            draw_marks(axes, one, OBLIQUE, width=1.5)
        style.frame(frames, (left, top), CELL, CELL_HEIGHT, None if one is None else one.right)
        _caption(figure, room, one, left, HEAD + top + CELL_HEIGHT + 0.06)
    style.legend(figure, _legend(asked), loc="lower center", ncols=3, **LEGEND)
    style.save(figure, path)


def _score(asked: Sequence[Asked | None]) -> str:
    known = [one.right for one in asked if one is not None and one.right is not None]
    return f"{sum(known)} of {len(known)} right" if known else ""


def _caption(figure: Figure, room: Room, asked: Asked | None, left: float, top: float) -> None:
    lines = [(room.name, style.MUTED, "normal", 1)]
    if asked is not None:
        lines = [(asked.question, style.INK, "bold", 2), (_short(asked), style.MUTED, "normal", 1), *lines]
    for text, colour, weight, rows in lines:
        for row in style.wrapped(text, 7, CELL, rows=rows):
            style.write(figure, left, top, row, size=7, color=colour, weight=weight)
            top += 0.14


def _short(asked: Asked) -> str:
    said = asked.said[0][0] if asked.said else "no answer"
    return said if asked.right or not asked.references else f"{said} (right: {asked.references[0]})"


def _legend(asked: Sequence[Asked | None]) -> list[Any]:
    """What the marks of all questions mean, each once."""
    return list({entry.get_label(): entry for one in asked for entry in legend_of(one)}.values())
