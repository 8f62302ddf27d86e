"""Many point clouds on one sheet: what each one is, what the model took it for, and how sure it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from geo_lm4ve.viz import projection
from geo_lm4ve.viz.sheet import CELL, Corners, sheet_png

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
    azimuth: float = projection.AZIMUTH,
    elevation: float = projection.ELEVATION,
    **more: Any,
) -> None:
    """Draw point clouds side by side, z up, near points dark.

    Args:
        path: PNG to write.
        clouds: K arrays (N_k, 3) in any unit; each is scaled to its own cell.
        captions: as of ``sheet_png``.
        correct: as of ``sheet_png``.
        title: what is shown.
        azimuth: camera direction in degrees, counter-clockwise from x.
        elevation: camera height in degrees above the xy plane.
        more: what else ``sheet_png`` takes.

    Raises:
        ValueError: no cloud, lists of different lengths, or a cloud that cannot be drawn (its place is named).
    """
    if len(captions) != len(clouds):
        raise ValueError(f"{len(clouds)} clouds, but {len(captions)} captions")

    def draw(axes: Axes, corners: Corners) -> None:
        _draw_points(axes, clouds, corners, azimuth, elevation)

    sheet_png(path, draw, captions, correct, title, **more)


def _draw_points(
    axes: Axes,
    clouds: Sequence[Float[np.ndarray, "_ 3"]],
    corners: Corners,
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
