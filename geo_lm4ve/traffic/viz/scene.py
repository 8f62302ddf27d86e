"""TrafficScene: everything a picture of one scene shows, as plain arrays in one frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from geo_lm4ve.traffic import frames
from geo_lm4ve.traffic.argoverse.argoverse2_map import MapSurfaces
from geo_lm4ve.traffic.batch import HZ, AgentType, SceneBatch
from geo_lm4ve.traffic.records.surface import Surface
from geo_lm4ve.traffic.viz.outlines import outlines

Line = Float[np.ndarray, "_ 2"]

KINDS = ("vehicle", "bus", "cyclist", "pedestrian", "other")
"""What is told apart in pictures."""

_KIND_OF = {
    AgentType.bus: "bus",
    AgentType.motorcyclist: "cyclist",
    AgentType.cyclist: "cyclist",
    AgentType.riderless_bicycle: "cyclist",
    AgentType.pedestrian: "pedestrian",
    AgentType.static: "other",
    AgentType.background: "other",
    AgentType.construction: "other",
    AgentType.unknown: "other",
}

STANDING_M = 1.0
"""A track that stays within this never moved: its few decimetres are noise."""

SURFACE_RADIUS_M = 120.0
"""How far around the target the drivable area is outlined."""


@dataclass(frozen=True)
class TrafficScene:
    """One scene; positions in metres, the target drives upwards (+y).

    Attributes:
        name, city: texts.
        history: number T of observed steps; all further ones are future.
        lanes: L centrelines.
        intersection: (L,) 1 where a lane lies in an intersection.
        tracks: (A, T + F, 2) positions, NaN where unknown; the target is row 0.
        headings: (A,) direction at the last observed step [rad]; NaN for an agent that never moved, where the data set
            records no heading.
        kinds: A of KINDS.
        agent_ids: A texts.
        ego: row of the recording car, or -1.
        modes: (K, F, 2) forecasts of the target, most likely first, or None.
        probabilities: (K,), or None.
        drivable: areas, each as closed rings (the outer one and its holes), where known.
        crossings, boundaries: outlines and lines of the map, where known.
        numbers: what to say about the forecast, by name ("minFDE_6": 1.2).
        lane_activation: (L,) one value per lane token, or None.
        agent_activation: (A,) one value per agent token (NaN: no token), or None.
        hz: steps per second.
    """

    name: str
    city: str
    history: int
    lanes: Sequence[Line]
    intersection: Int64[np.ndarray, " l"]
    tracks: Float[np.ndarray, "a t 2"]
    headings: Float[np.ndarray, " a"]
    kinds: Sequence[str]
    agent_ids: Sequence[str]
    ego: int = -1
    modes: Float[np.ndarray, "k f 2"] | None = None
    probabilities: Float[np.ndarray, " k"] | None = None
    drivable: Sequence[Sequence[Line]] = ()
    crossings: Sequence[Line] = ()
    boundaries: Sequence[Line] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    lane_activation: Float[np.ndarray, " l"] | None = None
    agent_activation: Float[np.ndarray, " a"] | None = None
    hz: float = HZ

    @property
    def steps(self) -> int:
        """Steps in all, T + F."""
        return self.tracks.shape[1]

    @property
    def now(self) -> Float[np.ndarray, " 2"]:
        """The target's last observed position."""
        return self.tracks[0, self.history - 1]

    @property
    def truth(self) -> Float[np.ndarray, "f 2"] | None:
        """The target's future, or None where it is withheld."""
        future = self.tracks[0, self.history :]
        return future if len(future) and np.isfinite(future).all() else None

    @property
    def errors(self) -> Float[np.ndarray, " k"] | None:
        """Distance of each mode's end from the truth [m]."""
        if self.modes is None or self.truth is None:
            return None
        return np.linalg.norm(self.modes[:, -1] - self.truth[-1], axis=-1)

    def seconds(self, step: int) -> float:
        """Time of a step, 0 at the last observed one."""
        return (step - self.history + 1) / self.hz


def traffic_scene(
    batch: SceneBatch,
    row: int,
    *,
    modes: Float[Tensor, "k f 2"] | None = None,
    probabilities: Float[Tensor, " k"] | None = None,
    surface: Surface | None = None,
    numbers: Mapping[str, float] | None = None,
) -> TrafficScene:
    """One scene of a batch with the forecasts for its target.

    Args:
        batch: scenes.
        row: which of them.
        modes: (K, F, 2) in the scene's frame.
        probabilities: (K,).
        surface: its drivable area, if known (``data.surface(scene_id, city)``).
        numbers: what to say about the forecast.
    """
    agents, lanes = _rows(batch, "agent", row), _rows(batch, "lane", row)
    store = batch.graph["agent"]
    tracks = torch.cat([store.history[agents], store.future[agents]], 1).cpu().double()
    known = torch.cat([store.history_valid[agents], store.future_valid[agents]], 1).cpu()
    ego = store.is_ego[agents].cpu().nonzero()[:, 0].tolist() if "is_ego" in store else []
    scene = TrafficScene(
        name=batch.scene_id[row],
        city=batch.city[row],
        history=store.history.shape[1],
        lanes=_lines(batch, lanes),
        intersection=batch.graph["lane"].intersection[lanes].cpu().numpy(),
        tracks=tracks.masked_fill(~known[..., None], torch.nan).numpy(),
        headings=_headings(batch, agents, tracks, known),
        kinds=[_KIND_OF.get(AgentType(kind), "vehicle") for kind in store.type[agents].tolist()],
        agent_ids=batch.agent_ids[row],
        ego=ego[0] if ego else -1,
        modes=None if modes is None else modes.detach().cpu().double().numpy(),
        probabilities=None if probabilities is None else probabilities.detach().cpu().double().numpy(),
        numbers=dict(numbers or {}),
    )
    if surface is not None:
        scene = _with_surface(scene, surface, batch, row)
    return turned(scene, np.pi / 2 - _course(scene))


def _rows(batch: SceneBatch, kind: str, row: int) -> slice:
    ptr = batch.graph[kind].ptr
    return slice(int(ptr[row]), int(ptr[row + 1]))


def _lines(batch: SceneBatch, lanes: slice) -> list[Line]:
    store = batch.graph["lane"]
    points, valid = store.points[lanes].cpu().double().numpy(), store.points_valid[lanes].cpu().numpy()
    return [line[known] for line, known in zip(points, valid)]


def _headings(batch: SceneBatch, agents: slice, tracks: Tensor, known: Tensor) -> Float[np.ndarray, " a"]:
    """Headings of the batch, NaN for those that only stand for "never moved"."""
    store = batch.graph["agent"]
    unrecorded = (store.type[agents] >= AgentType.agent).cpu()
    high = tracks.masked_fill(~known[..., None], -torch.inf).amax(1)
    low = tracks.masked_fill(~known[..., None], torch.inf).amin(1)
    standing = unrecorded & ((high - low).amax(1) < STANDING_M)
    return store.heading[agents].cpu().double().masked_fill(standing, torch.nan).numpy()


def _with_surface(scene: TrafficScene, surface: Surface, batch: SceneBatch, row: int) -> TrafficScene:
    origin, rotation = batch.origin[row], batch.rotation[row]

    def local(line: Line) -> Line:
        return frames.to_local(torch.from_numpy(line)[None], origin[None], rotation[None])[0].numpy()

    def near(lines: Sequence[Line]) -> list[Line]:
        return [local(line) for line in lines if np.abs(line - origin.numpy()).min(0).max() < SURFACE_RADIUS_M]

    if not isinstance(surface, MapSurfaces):
        areas = outlines(surface, origin.numpy(), SURFACE_RADIUS_M)
        return replace(scene, drivable=[[local(ring) for ring in area] for area in areas])
    return replace(
        scene,
        drivable=[[ring] for ring in near(surface.drivable)],
        crossings=near(surface.crossings),
        boundaries=near(surface.boundaries),
    )


def _course(scene: TrafficScene) -> float:
    """Direction of the target: over its last metres, else its heading [rad]."""
    back = scene.now - scene.tracks[0, : scene.history]
    moved = np.linalg.norm(back, axis=1) > 1.0
    if not moved.any():
        return float(np.nan_to_num(scene.headings[0]))
    step = back[moved.nonzero()[0][-1]]
    return float(np.arctan2(step[1], step[0]))


def turned(scene: TrafficScene, angle: float) -> TrafficScene:
    """The same scene turned by ``angle`` [rad] around its origin."""
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return replace(
        scene,
        lanes=[line @ turn for line in scene.lanes],
        crossings=[line @ turn for line in scene.crossings],
        boundaries=[line @ turn for line in scene.boundaries],
        drivable=[[ring @ turn for ring in area] for area in scene.drivable],
        tracks=scene.tracks @ turn,
        headings=scene.headings + angle,
        modes=None if scene.modes is None else scene.modes @ turn,
    )
