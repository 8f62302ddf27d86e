"""Many point clouds on one sheet: what each one is, what the model took it for, and how sure it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from geo_lm4ve.viz import projection, style

CELL, CAPTION, GAP = 1.75, 0.44, 0.14
"""Inches: side of a picture, height of the caption under it, distance between neighbours."""
POINTS = 2048
"""Points drawn per cloud at most; more only makes a blob of the same shape."""
_DEPTH = LinearSegmentedColormap.from_list("depth", ["#dfe7f1", "#9dbbdd", "#5b8bc0", "#23558f", "#0b2545"])


def contact_sheet_png(
    path: Path | str,
    clouds: Sequence[Float[np.ndarray, "_ 3"]],
    captions: Sequence[str],
    correct: Sequence[bool] | None,
    title: str,
    *,
    probabilities: Sequence[float] | None = None,
    columns: int = 6,
    azimuth: float = projection.AZIMUTH,
    elevation: float = projection.ELEVATION,
    note: str = "",
    synthetic: bool = False,
) -> None:
    """Draw point clouds side by side, z up, near points dark; a frame and a mark say right or wrong.

    Args:
        path: PNG to write.
        clouds: K arrays (N_k, 3) in any unit; each is scaled to its own cell.
        captions: K texts; the first line is bold (the predicted class), a second one is not (say, the true class).
        correct: K flags, or None where no truth is known.
        title: what is shown.
        probabilities: K probabilities of the prediction in 0..1, drawn as a bar with its percentage.
        columns: clouds per row.
        azimuth: camera direction in degrees, counter-clockwise from x.
        elevation: camera height in degrees above the xy plane.
        note: a line below the title; by default how many were right.
        synthetic: say in the title that the data is generated.

    Raises:
        ValueError: no cloud, lists of different lengths, or a cloud that cannot be drawn (its place is named).
    """
    _check(clouds, captions, correct, probabilities)
    columns = min(columns, len(clouds))
    rows = math.ceil(len(clouds) / columns)
    step_x, step_y, top = CELL + GAP, CELL + CAPTION + GAP, 0.78
    width, height = columns * step_x + 0.26, rows * step_y + 0.1
    figure = style.new_figure(max(width, 4.0), top + height)
    if correct is not None and not note:
        note = f"{sum(correct)} of {len(clouds)} right"
    style.heading(figure, title, note, synthetic=synthetic)
    axes = style.new_axes(figure, 0, top, width, height)
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    corners = [(0.2 + step_x * (k % columns), 0.03 + step_y * (k // columns)) for k in range(len(clouds))]
    _draw_points(axes, clouds, corners, azimuth, elevation)
    for k, corner in enumerate(corners):
        style.frame(axes, corner, CELL, CELL, None if correct is None else bool(correct[k]))
        _draw_caption(axes, corner, captions[k], None if probabilities is None else float(probabilities[k]))
    style.save(figure, path, colours=256)


def _check(
    clouds: Sequence[np.ndarray],
    captions: Sequence[str],
    correct: Sequence[bool] | None,
    probabilities: Sequence[float] | None,
) -> None:
    if not clouds:
        raise ValueError("a contact sheet needs at least one cloud")
    for name, values in (("captions", captions), ("correct", correct), ("probabilities", probabilities)):
        if values is not None and len(values) != len(clouds):
            raise ValueError(f"{len(clouds)} clouds, but {len(values)} {name}")


def _draw_points(
    axes: Axes,
    clouds: Sequence[Float[np.ndarray, "_ 3"]],
    corners: Sequence[tuple[float, float]],
    azimuth: float,
    elevation: float,
) -> None:
    """All clouds in one scatter call, far points first; a sparse cloud gets larger dots than a dense one."""
    placed, areas = [], []
    for k, (cloud, (left, top)) in enumerate(zip(clouds, corners)):
        try:
            seen = projection.view(projection.fit(projection.thin(cloud, POINTS)), azimuth, elevation)
        except ValueError as error:
            raise ValueError(f"cloud {k}: {error}") from error
        centre = np.array([left + CELL / 2, top + CELL / 2])
        shade = np.where(projection.hidden(seen), 0.0, 0.2 + 0.4 * (seen[:, 2] + 1))
        placed.append(np.column_stack([centre + seen[:, :2] * [1, -1] * CELL * 0.46, seen[:, 2], shade]))
        areas.append(np.full(len(seen), _dot_area(len(seen))))
    x, y, depth, tint = np.concatenate(placed).T
    order = np.argsort(depth, kind="stable")
    shade, area = _DEPTH(tint), np.concatenate(areas)
    axes.scatter(x[order], y[order], s=area[order], c=shade[order], linewidths=0, zorder=2)


def _dot_area(count: int) -> float:
    """Area in square typographic points so that ``count`` dots close up to a surface."""
    return float(np.clip(0.6 * (CELL * 72) ** 2 / count, 1.5, 60.0))


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
