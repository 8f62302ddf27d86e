"""The parts of a drawn scene: map, agents at one step, forecasts."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection, PathCollection
from matplotlib.patches import Circle, Polygon
from matplotlib.path import Path as Outline

from geo_lm4ve.traffic.metrics.displacement import MISS_THRESHOLD_M
from geo_lm4ve.traffic.viz import colours
from geo_lm4ve.traffic.viz.scene import TrafficScene
from geo_lm4ve.viz import style

MARGIN_M, SMALLEST_M = 14.0, 25.0
"""Space around what matters, and the smallest half side of a picture."""


def extent(scene: TrafficScene) -> tuple[Float[np.ndarray, " 2"], float]:
    """Centre and half side [m] of the square that holds the target's past, its future and all forecasts."""
    points = [scene.tracks[0][np.isfinite(scene.tracks[0, :, 0])]]
    if scene.modes is not None:
        points.append(scene.modes.reshape(-1, 2))
    everything = np.concatenate(points)
    low, high = everything.min(0), everything.max(0)
    return (low + high) / 2, max(float((high - low).max()) / 2 + MARGIN_M, SMALLEST_M)


def prepare(axes: Axes, scene: TrafficScene) -> float:
    """Set limits and ground; returns typographic points per metre, for lines that have a width in metres."""
    centre, half = extent(scene)
    axes.set(xlim=(centre[0] - half, centre[0] + half), ylim=(centre[1] - half, centre[1] + half), xticks=[], yticks=[])
    axes.set_facecolor(colours.GROUND)
    for spine in axes.spines.values():
        spine.set_visible(False)
    left, _, right, _ = axes.get_position().transformed(axes.figure.transSubfigure).extents
    return float(right - left) / axes.figure.dpi * 72 / (2 * half)


def draw_map(axes: Axes, scene: TrafficScene, scale: float) -> None:
    """Roads, crossings, boundaries and centrelines; lanes coloured by their activation where it is known."""
    if scene.drivable:
        areas = [Outline.make_compound_path(*(Outline(ring, closed=True) for ring in area)) for area in scene.drivable]
        axes.add_collection(PathCollection(areas, facecolors=colours.ROAD, edgecolors="none", zorder=1))
    elif scene.lanes:
        width = colours.LANE_WIDTH_M * scale
        _lines(axes, scene.lanes, colours.ROAD, width, zorder=1, capstyle="round")
        crossing = [line for line, inside in zip(scene.lanes, scene.intersection) if inside]
        _lines(axes, crossing, colours.INTERSECTION, width, zorder=1.1)
    if scene.crossings:
        patches = [Polygon(line) for line in scene.crossings]
        axes.add_collection(PatchCollection(patches, facecolor=colours.CROSSING, edgecolor="none", zorder=1.2))
    _lines(axes, scene.boundaries, colours.BOUNDARY, 0.7, zorder=1.3)
    if scene.lane_activation is None:
        _lines(axes, scene.lanes, colours.CENTRELINE, 1.1, zorder=1.4)
        return
    order = np.argsort(np.nan_to_num(scene.lane_activation))
    shades = style.activation_colours(scene.lane_activation)
    lanes = [scene.lanes[row] for row in order]
    _lines(axes, lanes, [shades[row] for row in order], max(1.4 * scale, 2.0), zorder=1.4)


def draw_agents(axes: Axes, scene: TrafficScene, step: int, *, trail: int | None = None) -> list[Artist]:
    """All agents seen at ``step`` as boxes with their trail of the last ``trail`` steps; returns the artists."""
    here = np.isfinite(scene.tracks[:, step, 0])
    others = [row for row in here.nonzero()[0].tolist() if row != 0]
    start = 0 if trail is None else max(0, step - trail)
    paths = [scene.tracks[row, start : step + 1] for row in others]
    boxes = [Polygon(box(scene, row, step)) for row in others]
    artists: list[Artist] = [
        _lines(axes, paths, [_agent_colour(scene, row) for row in others], 1.0, zorder=3, alpha=0.6),
        axes.add_collection(
            PatchCollection(
                boxes,
                facecolor=[_agent_colour(scene, row) for row in others],
                edgecolor="white",
                linewidth=0.5,
                zorder=4,
            )
        ),
    ]
    if here[0]:
        track = scene.tracks[0, : min(step, scene.history - 1) + 1]
        artists.append(_lines(axes, [track], colours.TARGET, 2.2, zorder=5))
        patch = Polygon(box(scene, 0, step), facecolor=colours.TARGET, edgecolor="white", linewidth=0.8, zorder=8)
        artists.append(axes.add_patch(patch))
    return artists


def box(scene: TrafficScene, row: int, step: int) -> Float[np.ndarray, "_ 2"]:
    """Corners of an agent's box at a step, along its direction of motion; a circle where no direction is known."""
    length, width = colours.SIZES_M[scene.kinds[row]]
    angle = heading_at(scene, row, step)
    if np.isnan(angle):
        circle = np.linspace(0, 2 * np.pi, 17)
        return scene.tracks[row, step] + width / 2 * np.stack([np.cos(circle), np.sin(circle)], 1)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    corners = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) / 2
    return scene.tracks[row, step] + corners[:, :1] * length * along + corners[:, 1:] * width * across


def heading_at(scene: TrafficScene, row: int, step: int) -> float:
    """Direction of an agent: of its motion over half a second, else its heading when last observed."""
    near = scene.tracks[row, max(step - 3, 0) : step + 3]
    near = near[np.isfinite(near[:, 0])]
    moved = near[-1] - near[0]
    return float(np.arctan2(moved[1], moved[0]) if np.linalg.norm(moved) > 0.4 else scene.headings[row])


def draw_truth(axes: Axes, scene: TrafficScene, *, until: int | None = None) -> list[Artist]:
    """What the target did (up to future step ``until``), with the circle in which a forecast must end."""
    if scene.truth is None:
        return []
    line = np.concatenate([scene.now[None], scene.truth])
    part = line if until is None else line[: until + 1]
    circle = Circle(
        line[-1], MISS_THRESHOLD_M, facecolor="none", edgecolor=colours.TRUTH, linewidth=1.2,
        linestyle=(0, (3, 2)), zorder=6,
    )  # fmt: skip
    return [
        _lines(axes, [part], "white", 3.4, zorder=6.9),
        _lines(axes, [part], colours.TRUTH, 1.9, zorder=7),
        axes.add_patch(circle),
        *axes.plot(*line[-1], "o", color=colours.TRUTH, markersize=5, markeredgecolor="white", zorder=7.2),
    ]


def draw_modes(axes: Axes, scene: TrafficScene, *, labels: bool = True) -> list[Artist]:
    """Forecasts as arrows, the likelier the stronger, with their probabilities; returns the artists."""
    if scene.modes is None:
        return []
    artists: list[Artist] = []
    strength = colours.mode_strength(scene.probabilities, len(scene.modes))
    for place in reversed(range(len(scene.modes))):
        line = np.concatenate([scene.now[None], scene.modes[place]])
        alpha = float(strength[place])
        artists.append(_lines(axes, [line], colours.MODE, 1.2 + 1.6 * alpha, zorder=6.5, alpha=alpha))
        artists += _arrow_head(axes, line, alpha)
    return artists + (_labels(axes, scene) if labels else [])


def _arrow_head(axes: Axes, line: Float[np.ndarray, "_ 2"], alpha: float) -> list[Artist]:
    end, before = line[-1], line[-min(4, len(line))]
    direction = end - before
    size = np.linalg.norm(direction)
    if size < 0.2:
        return [*axes.plot(*end, "o", color=colours.MODE, markersize=4, alpha=alpha, zorder=6.6)]
    along = direction / size
    across = np.array([-along[1], along[0]])
    corners = np.array([end + 1.1 * along, end - 0.7 * along + 0.8 * across, end - 0.7 * along - 0.8 * across])
    return [axes.add_patch(Polygon(corners, facecolor=colours.MODE, edgecolor="none", alpha=alpha, zorder=6.6))]


def _labels(axes: Axes, scene: TrafficScene) -> list[Artist]:
    """Probabilities beside the ends, one for ends that are close together (their sum)."""
    if scene.modes is None or scene.probabilities is None:
        return []
    _, half = extent(scene)
    ends = scene.modes[:, -1]
    left = list(np.argsort(-scene.probabilities, kind="stable"))
    artists: list[Artist] = []
    while left:
        first = left[0]
        group = [row for row in left if np.linalg.norm(ends[row] - ends[first]) < half / 14]
        left = [row for row in left if row not in group]
        share = float(scene.probabilities[group].sum())
        direction = ends[first] - scene.now
        direction = direction / max(float(np.linalg.norm(direction)), 1e-6)
        text = axes.annotate(
            f"{share:.0%}", ends[first], xytext=tuple(11 * direction), textcoords="offset points", ha="center",
            va="center", fontsize=7.5, color="#00466e", zorder=9, annotation_clip=True,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )  # fmt: skip
        artists.append(text)
    return artists


def _agent_colour(scene: TrafficScene, row: int) -> str:
    if scene.agent_activation is not None:
        scale = () if scene.lane_activation is None else (scene.lane_activation,)
        return style.activation_colours(scene.agent_activation, *scale)[row]
    return colours.EGO if row == scene.ego else colours.AGENT[scene.kinds[row]]


def _lines(axes: Axes, lines: object, colour: object, width: float, **style: object) -> LineCollection:
    collection = LineCollection(lines, colors=colour, linewidths=width, **style)  # type: ignore[arg-type]
    axes.add_collection(collection, autolim=False)
    return collection
