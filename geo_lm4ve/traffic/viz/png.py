"""Forecasts over the lane map as pictures: one scene, or many on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from geo_lm4ve.traffic.metrics.displacement import MISS_THRESHOLD_M
from geo_lm4ve.traffic.viz import colours
from geo_lm4ve.traffic.viz.drawing import draw_agents, draw_map, draw_modes, draw_truth, extent, prepare
from geo_lm4ve.traffic.viz.scene import TrafficScene
from geo_lm4ve.viz import style

SIDE, HEAD, FOOT = 6.6, 0.75, 0.42
"""Inches: side of a single picture, space for the title above and the legend below."""
CELL, CAPTION, GAP = 2.9, 0.42, 0.16
"""Inches: side of a picture on a sheet, height of its caption, distance between neighbours."""


_LEGEND_STYLE: dict[str, Any] = {
    "ncols": 6, "frameon": False, "fontsize": 7.5, "handlelength": 1.5, "columnspacing": 1.4, "handletextpad": 0.5,
}  # fmt: skip


def scene_png(path: Path | str, scene: TrafficScene, title: str = "", *, synthetic: bool = False) -> None:
    """Draw one scene: map, agents when last observed, the target's past and future, forecasts with probabilities.

    Args:
        path: PNG to write.
        scene: what to draw.
        title: default: name and city.
        synthetic: say in the title that the data is generated.
    """
    figure = style.new_figure(SIDE + 0.4, HEAD + SIDE + FOOT)
    style.heading(figure, title or f"{scene.name} · {scene.city}", summary(scene), synthetic=synthetic)
    axes = figure.add_axes(
        (0.2 / (SIDE + 0.4), FOOT / (HEAD + SIDE + FOOT), SIDE / (SIDE + 0.4), SIDE / (HEAD + SIDE + FOOT))
    )
    draw_scene(axes, scene)
    _scale_bar(axes, scene)
    figure.legend(handles=_legend(scene), loc="lower center", **_LEGEND_STYLE)
    style.save(figure, path)


def scenes_png(
    path: Path | str,
    scenes: Sequence[TrafficScene],
    title: str,
    *,
    note: str = "",
    labels: Sequence[str] = (),
    columns: int = 4,
    synthetic: bool = False,
) -> None:
    """Draw many scenes side by side.

    Args:
        path: PNG to write.
        scenes: what to draw, in this order.
        title: what is shown.
        note: a line below the title.
        labels: what to say of each scene after its first two numbers, e.g. its rank; none by default.
        columns: scenes per row.
        synthetic: say in the title that the data is generated.

    Raises:
        ValueError: there is no scene.
    """
    if not scenes:
        raise ValueError("a sheet needs at least one scene")
    columns = min(columns, len(scenes))
    rows = math.ceil(len(scenes) / columns)
    width, height = 0.4 + columns * (CELL + GAP) - GAP, HEAD + rows * (CELL + CAPTION + GAP) + FOOT - GAP
    figure = style.new_figure(max(width, 5.5), height)
    style.heading(figure, title, note, synthetic=synthetic)
    for place, scene in enumerate(scenes):
        left = 0.2 + (CELL + GAP) * (place % columns)
        top = HEAD + (CELL + CAPTION + GAP) * (place // columns)
        axes = style.new_axes(figure, left, top, CELL, CELL)
        draw_scene(axes, scene, labels=False)
        name, size = style.fitted(f"{scene.name} · {scene.city}", 8, CELL)
        style.write(figure, left, top + CELL + 0.05, name, size=size, weight="bold")
        below, size = style.fitted("   ".join(filter(None, [summary(scene, 2), *labels[place : place + 1]])), 7.5, CELL)
        style.write(figure, left, top + CELL + 0.2, below, size=size, color=style.MUTED)
    figure.legend(handles=_legend(scenes[0]), loc="lower center", **_LEGEND_STYLE)
    style.save(figure, path)


def draw_scene(axes: Axes, scene: TrafficScene, *, labels: bool = True) -> None:
    """Everything of a scene at its last observed step."""
    scale = prepare(axes, scene)
    draw_map(axes, scene, scale)
    draw_agents(axes, scene, scene.history - 1)
    draw_truth(axes, scene)
    draw_modes(axes, scene, labels=labels)


def summary(scene: TrafficScene, count: int | None = None) -> str:
    """The (first ``count``) numbers of a scene in one line."""
    return "   ".join(f"{subscripted(name)} {value:.2f}" for name, value in list(scene.numbers.items())[:count])


def subscripted(name: str) -> str:
    """``minFDE_6`` as texts have it: minFDE with K as a subscript."""
    name, _, k = name.partition("_")
    return name + k.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _legend(scene: TrafficScene) -> list[Line2D]:
    entries = [("observed", colours.TARGET, 2.4)]
    if scene.truth is not None:
        entries.append(("what happened", colours.TRUTH, 2.4))
    if scene.modes is not None:
        entries.append(("forecast, the likelier the stronger", colours.MODE, 2.4))
    lines = [Line2D([], [], color=colour, linewidth=width, label=name) for name, colour, width in entries]
    if scene.truth is not None:
        lines.append(
            Line2D(
                [],
                [],
                color="none",
                marker="o",
                markersize=9,
                markerfacecolor="none",
                markeredgecolor=colours.TRUTH,
                label=f"{MISS_THRESHOLD_M:g} m around the end",
            )
        )
    colour = colours.ACTIVE if scene.agent_activation is not None else colours.AGENT["vehicle"]
    name = "token activation" if scene.lane_activation is not None else "other agents"
    lines.append(
        Line2D(
            [], [], color="none", marker="s", markersize=7, markerfacecolor=colour, markeredgecolor="none", label=name
        )
    )
    return lines


def _scale_bar(axes: Axes, scene: TrafficScene) -> None:
    """A bar of 10 m in the lower left corner."""
    (x, y), half = extent(scene)
    left, bottom = x - half * 0.94, y - half * 0.94
    axes.plot([left, left + 10], [bottom, bottom], color=style.MUTED, linewidth=2, solid_capstyle="butt", zorder=9)
    axes.text(left, bottom + half * 0.02, "10 m", fontsize=7.5, color=style.MUTED, zorder=9)
