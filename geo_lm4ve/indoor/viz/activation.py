"""How far the tokens of proposals stand out, on the scan from above: before the block and after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from geo_lm4ve.indoor.room import Room
from geo_lm4ve.indoor.viz.asked import Activation, Asked
from geo_lm4ve.indoor.viz.cloud import cloud_of
from geo_lm4ve.indoor.viz.drawing import ABOVE, draw_cloud, draw_marks, legend_of, scale_bar
from geo_lm4ve.indoor.viz.png import LEGEND, POINTS
from geo_lm4ve.viz import style

SIDE, HEAD, FOOT, GAP = 5.4, 1.0, 0.75, 0.25
"""Inches: side of both pictures, space above and below, and between them."""
_PALE = 0.72
"""How white the scan is made under the dots."""


def activation_png(path: Path | str, room: Room, asked: Asked, title: str = "", *, synthetic: bool = False) -> None:
    """Draw the scan from above twice, with a dot per proposal that is an object: how far its token stands out.

    Args:
        path: PNG to write.
        room: the scan.
        asked: a question about it, with ``activation``.
        title: default: name of the scan.
        synthetic: say in the title that the data is generated.

    Raises:
        ValueError: the question has no activation, or the scan cannot be drawn.
    """
    if (activation := asked.activation) is None:
        raise ValueError(f"question {asked.id!r} comes without the activation of its proposals")
    cloud = cloud_of(room, POINTS)
    figure = style.new_figure(2 * SIDE + 3 * GAP, HEAD + SIDE + FOOT)
    note = f"{int(activation.objects.sum())} proposals that are taken for objects · {asked.question}"
    style.heading(figure, title or f"Token activation · {room.name}", note, synthetic=synthetic)
    for place, (name, values) in enumerate((("before", activation.before), ("after", activation.after))):
        left = GAP + place * (SIDE + GAP)
        axes = style.new_axes(figure, left, HEAD, SIDE, SIDE)
        draw_cloud(axes, cloud, ABOVE, pale=_PALE)
        draw_marks(axes, asked, ABOVE)
        _draw_dots(axes, activation, values)
        style.write(figure, left, HEAD - 0.24, f"{name} the block", size=10, weight="bold")
        scale_bar(axes)
    _draw_foot(figure, asked, activation)
    style.save(figure, path)


def _draw_dots(axes: Axes, activation: Activation, values: Float[np.ndarray, " p"]) -> None:
    """Strong ones last and larger; proposals without a token as small grey rings."""
    centers = ABOVE.view(activation.centers)[:, :2]
    rest = centers[~activation.objects]
    axes.scatter(rest[:, 0], rest[:, 1], s=9, facecolors="none", edgecolors=style.MUTED, linewidths=0.5, zorder=6)
    shown = np.flatnonzero(activation.objects)[np.argsort(values[activation.objects], kind="stable")]
    axes.scatter(
        centers[shown, 0], centers[shown, 1], s=30 + 130 * values[shown], edgecolors="white", linewidths=0.8,
        c=style.activation_colours(values[shown], np.array([0.0, 1.0])), zorder=7,
    )  # fmt: skip


def _draw_foot(figure: Figure, asked: Asked, activation: Activation) -> None:
    """The colour scale, and what the marks mean."""
    width, height = figure.get_size_inches()
    colours = ListedColormap(style.activation_colours(np.linspace(0, 1, 256)))
    axes = figure.add_axes((GAP / width, 0.42 / height, 2.6 / width, 0.12 / height))
    bar = figure.colorbar(ScalarMappable(cmap=colours), cax=axes, orientation="horizontal", ticks=[])
    bar.outline.set_visible(False)
    for place, text, side in ((0, "stands out least", "left"), (1, "most", "right")):
        axes.text(place, -0.4, text, fontsize=7.5, color=style.MUTED, ha=side, va="top", transform=axes.transAxes)
    entries = legend_of(asked)
    if not activation.objects.all():
        look: dict[str, Any] = {"markerfacecolor": "none", "markeredgecolor": style.MUTED, "markersize": 4}
        entries.append(Line2D([], [], color="none", marker="o", label="proposal, no object", **look))
    style.legend(figure, entries, loc="lower right", ncols=4, bbox_to_anchor=(1, 0.1 / height), **LEGEND)
