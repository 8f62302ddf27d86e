"""One HTML file to look at forecasts: time slider, modes by probability, agents, lanes, gallery; no network needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from geo_lm4ve.files import to_json, write_text
from geo_lm4ve.traffic.metrics.displacement import MISS_THRESHOLD_M
from geo_lm4ve.traffic.viz.colours import LANE_WIDTH_M, SIZES_M
from geo_lm4ve.traffic.viz.scene import KINDS, Line, TrafficScene
from geo_lm4ve.viz import choice
from geo_lm4ve.viz.page import asset, page
from geo_lm4ve.words import script

MAX_BYTES = 5_000_000
"""Size limit of a page: it must open at once and go through mail. A scene takes 15 to 60 kB."""
PAGE_BYTES = 100_000
"""What the page itself takes, without scenes."""
UNIT_M = 0.05
"""Positions are whole multiples of this."""
REACH_M = 90.0
"""Agents and map farther than this from the target's path are left out."""


def scenes_html(
    path: Path | str,
    scenes: Sequence[TrafficScene],
    title: str,
    *,
    note: str = "",
    highlights: Mapping[str, str] | None = None,
    sort: str = "minFDE_6",
    total: int | None = None,
    synthetic: bool = False,
) -> None:
    """Write the page.

    Args:
        path: file to write.
        scenes: what can be looked at; their ``numbers`` can be sorted by.
        title: heading.
        note: a line under it.
        highlights: the few numbers that matter, as text ("minFDE K=6": "1.23"), set large.
        sort: number by which the gallery is sorted at first, largest first.
        total: number of scenes that these were chosen from.
        synthetic: mark the page as made from generated data.

    Raises:
        ValueError: no scene, or the page would exceed MAX_BYTES.
    """
    if not scenes:
        raise ValueError("a page needs at least one scene")
    data = {
        "kinds": KINDS, "sizes": SIZES_M, "unit": UNIT_M, "lane_width": LANE_WIDTH_M, "miss": MISS_THRESHOLD_M,
        "sort": sort, "of": total or len(scenes), "scenes": [encode(scene) for scene in scenes],
    }  # fmt: skip
    text = page(
        title,
        Template(_asset("scenes.html")).substitute(miss=f"{MISS_THRESHOLD_M:g}", data=script(to_json(data))),
        css=_asset("scenes.css"),
        js=_asset("scenes.js"),
        note=note,
        highlights=highlights,
        synthetic=synthetic,
    )
    if (size := len(text.encode())) > MAX_BYTES:
        raise ValueError(
            f"{path} would have {size / 1e6:.1f} MB with {len(scenes)} scenes, the limit is 5 MB: show fewer"
        )
    write_text(path, text)


def fitting(scenes: Sequence[TrafficScene]) -> list[TrafficScene]:
    """As many of the scenes, evenly spaced over them, as one page holds."""
    sizes = [len(script(to_json(encode(scene)))) for scene in scenes]
    return [scenes[place] for place in choice.fitting(sizes, MAX_BYTES - PAGE_BYTES)]


def encode(scene: TrafficScene) -> dict[str, Any]:
    """A scene as JSON values: integer coordinates, differences along each line."""
    near = _near(scene)
    lanes = [row for row, line in enumerate(scene.lanes) if near(line).any()]
    agents = [row for row in range(len(scene.tracks)) if row == 0 or near(scene.tracks[row]).any()]
    return {
        "name": scene.name,
        "city": scene.city,
        "history": scene.history,
        "steps": scene.steps,
        "hz": scene.hz,
        "truth": scene.truth is not None,
        "numbers": dict(zip(scene.numbers, _numbers(scene.numbers.values(), 4))),
        "lanes": [_line(scene.lanes[row]) for row in lanes],
        "intersection": "".join(str(int(scene.intersection[row])) for row in lanes),
        "areas": [[_line(ring) for ring in area] for area in scene.drivable],
        "crossings": [_line(line) for line in scene.crossings if near(line).any()],
        "boundaries": [_line(line) for line in scene.boundaries if near(line).any()],
        "agents": [_agent(scene, row) for row in agents],
        "modes": [
            _line(mode) if np.isfinite(mode).all() else [] for mode in (() if scene.modes is None else scene.modes)
        ],
        "probabilities": None if scene.probabilities is None else _numbers(scene.probabilities, 4),
        "errors": None if scene.errors is None else _numbers(scene.errors, 2),
        **_activation(scene, lanes, agents),
    }


def _near(scene: TrafficScene) -> Any:
    """Which points of a line lie within REACH_M of the box around the target's path."""
    path = scene.tracks[0][np.isfinite(scene.tracks[0, :, 0])]
    low, high = path.min(0) - REACH_M, path.max(0) + REACH_M

    def inside(points: Line) -> Bool[np.ndarray, " _"]:
        return ((points >= low) & (points <= high)).all(-1)

    return inside


def _line(points: Line) -> list[int]:
    whole = np.round(points / UNIT_M).astype(np.int64)
    return np.concatenate([whole[:1], np.diff(whole, axis=0)]).reshape(-1).tolist()


def _numbers(values: Iterable[float], digits: int) -> list[float | None]:
    """Rounded; None, shown as a dash, for what is not finite."""
    return [round(float(value), digits) if np.isfinite(value) else None for value in values]


def _agent(scene: TrafficScene, row: int) -> dict[str, Any]:
    """Kind, id, heading and the unbroken pieces of a track, each with its first step."""
    known = np.isfinite(scene.tracks[row, :, 0])
    edges = np.diff(np.concatenate([[0], known.astype(int), [0]])).nonzero()[0].reshape(-1, 2)
    heading = float(scene.headings[row])
    agent: dict[str, Any] = {
        "kind": scene.kinds[row],
        "id": scene.agent_ids[row][:13],
        "heading": None if np.isnan(heading) else round(heading, 3),
        "track": [[int(start), *_line(scene.tracks[row, start:stop])] for start, stop in edges],
    }
    if row == scene.ego:
        agent["ego"] = 1
    return agent


def _activation(scene: TrafficScene, lanes: Sequence[int], agents: Sequence[int]) -> dict[str, Any]:
    """Activations of lanes and agents on one common scale 0..255, null where there is no token."""
    given = [values for values in (scene.lane_activation, scene.agent_activation) if values is not None]
    if not given:
        return {}
    everything = np.concatenate(given)
    finite = everything[np.isfinite(everything)]
    low, span = float(finite.min()), max(float(np.ptp(finite)), 1e-12)

    def scaled(values: Float[np.ndarray, " n"] | None, rows: Sequence[int]) -> list[int | None] | None:
        if values is None:
            return None
        return [round(255 * (values[row] - low) / span) if np.isfinite(values[row]) else None for row in rows]

    return {
        "lane_activation": scaled(scene.lane_activation, lanes),
        "agent_activation": scaled(scene.agent_activation, agents),
    }


def _asset(name: str) -> str:
    return asset("geo_lm4ve.traffic.viz", name)
