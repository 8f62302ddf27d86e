"""The parts of a drawn scan: its cloud from somewhere, boxes, the asker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.patheffects import Normal, Stroke

from geo_lm4ve.indoor.viz import colours, shapes
from geo_lm4ve.indoor.viz.asked import Asked
from geo_lm4ve.indoor.viz.cloud import Cloud
from geo_lm4ve.viz import projection, style

MARGIN = 0.04
"""Share of a picture that stays free on each side."""


@dataclass(frozen=True)
class Camera:
    """Where a scan is seen from: degrees, as ``projection.view`` has them."""

    azimuth: float
    elevation: float

    def view(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Right, up and towards the viewer [m]."""
        return projection.view(points, self.azimuth, self.elevation)

    @property
    def towards(self) -> Float[np.ndarray, " 3"]:
        """Direction in space from what is seen to the viewer."""
        return self.view(np.eye(3))[:, 2]


OBLIQUE = Camera(projection.AZIMUTH, 42.0)
ABOVE = Camera(-90.0, 90.0)
"""x to the right, y up."""


def draw_cloud(axes: Axes, cloud: Cloud, camera: Camera, *, pale: float = 0.0) -> None:
    """The points, near ones last, in axes of metres that fit them; ``pale`` of 1 is white.

    A wide dot counts as farther away by its width, or a coarse wall would cover what hangs on it.
    """
    points, colors = cloud.points[front := cloud.facing(camera.towards)], cloud.lit(camera.towards)
    seen, shown = camera.view(points), colors[front]
    scale = _fit(axes, camera.view(cloud.points))
    order = np.argsort(seen[:, 2] - cloud.spacing[front], kind="stable")
    sides = np.maximum(cloud.spacing[front] * scale, 0.8)
    shades = np.clip(shown + pale * (1 - shown), 0, 1)
    look: dict[str, Any] = {"marker": "s", "linewidths": 0, "zorder": 1}
    axes.scatter(seen[order, 0], seen[order, 1], s=sides[order] ** 2, c=shades[order], **look)


def _fit(axes: Axes, seen: Float[np.ndarray, "n 3"]) -> float:
    """Limits that hold everything, at one scale for both axes; returns typographic points per metre."""
    low, high = seen[:, :2].min(0), seen[:, :2].max(0)
    box = axes.get_window_extent()
    inches = np.array([box.width, box.height]) / axes.figure.dpi
    metres = float(np.max((high - low + 0.3) / inches)) * (1 + 2 * MARGIN)
    centre, half = (low + high) / 2, inches * metres / 2
    axes.set(xlim=(centre[0] - half[0], centre[0] + half[0]), ylim=(centre[1] - half[1], centre[1] + half[1]))
    axes.set_axis_off()
    return 72 / metres


def draw_marks(axes: Axes, asked: Asked, camera: Camera, *, width: float = 2.2) -> None:
    """The predicted box, the true one over it, and the asker."""
    if asked.box is not None:
        _draw_box(axes, asked.box, camera, colours.PREDICTED, width, "-")
    if asked.truth is not None:
        _draw_box(axes, asked.truth, camera, colours.TRUTH, width, (0, (3.2, 1.6)))
    if asked.pose is not None:
        outline = camera.view(shapes.arrow(asked.pose))[:, :2]
        axes.add_patch(Polygon(outline, facecolor=colours.ASKER, edgecolor="white", linewidth=0.5 * width, zorder=6))


def _draw_box(axes: Axes, box: shapes.Numbers, camera: Camera, colour: str, width: float, dashes: Any) -> None:
    corners = camera.view(shapes.corners(box))[:, :2]
    lines = LineCollection(
        [corners[list(edge)] for edge in shapes.EDGES], colors=colour, linewidths=width, linestyles=[dashes], zorder=5
    )
    lines.set_path_effects([Stroke(linewidth=2.2 * width, foreground="white", alpha=0.7), Normal()])
    axes.add_collection(lines)


def legend_of(asked: Asked | None, width: float = 2.2) -> list[Line2D]:
    """What the marks of a question mean: those that are drawn."""
    entries = []
    if asked is not None and asked.box is not None:
        entries.append(Line2D([], [], color=colours.PREDICTED, linewidth=width, label="predicted box"))
    if asked is not None and asked.truth is not None:
        entries.append(
            Line2D([], [], color=colours.TRUTH, linewidth=width, linestyle=(0, (3.2, 1.6)), label="true box")
        )
    if asked is not None and asked.pose is not None:
        entries.append(
            Line2D(
                [],
                [],
                color="none",
                marker=">",
                markersize=8,
                markerfacecolor=colours.ASKER,
                markeredgecolor="none",
                label="asker",
            )
        )
    return entries


def scale_bar(axes: Axes) -> None:
    """A bar of 1 m in the lower left corner."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    x, y = left + 0.02 * (right - left), bottom + 0.02 * (top - bottom)
    axes.plot([x, x + 1], [y, y], color=style.MUTED, linewidth=2, solid_capstyle="butt", zorder=9)
    axes.text(x, y + 0.012 * (top - bottom), "1 m", fontsize=7.5, color=style.MUTED, zorder=9)
