"""SceneBatch: a batch of traffic scenes as one torch-geometric heterogeneous graph, and what is known of such data."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor
from torch_geometric.data import HeteroData

from geo_lm4ve.calls import InputError, described
from geo_lm4ve.parts.data import DataInfo
from geo_lm4ve.traffic import frames
from geo_lm4ve.traffic.protocol import Protocol
from geo_lm4ve.traffic.sizes import SceneSizes


class AgentType(enum.IntEnum):
    """What a data set's files say of a track: object classes (Argoverse 2) or roles (Argoverse 1: the last three)."""

    unknown = 0
    vehicle = 1
    pedestrian = 2
    motorcyclist = 3
    cyclist = 4
    bus = 5
    static = 6
    background = 7
    construction = 8
    riderless_bicycle = 9
    agent = 10
    av = 11
    others = 12


class TrackCategory(enum.IntEnum):
    """Argoverse 2's ``object_category``; ``none`` where the data set has no such column."""

    none = -1
    fragment = 0
    unscored = 1
    scored = 2
    focal = 3


class LaneType(enum.IntEnum):
    """Who may use a lane (Argoverse 2; every lane of Argoverse 1 is a ``vehicle`` lane)."""

    vehicle = 0
    bike = 1
    bus = 2


class Turn(enum.IntEnum):
    """Turn direction of a lane (Argoverse 1; Argoverse 2 files do not say, so ``none``)."""

    none = 0
    left = 1
    right = 2


LANE_EDGES = ("successor", "predecessor", "left", "right")
"""The relations of the lane graph: edge types ``("lane", relation, "lane")``, from a lane to its relative."""


HZ = 10.0
"""Steps per second of both Argoverse data sets, and of what is made up."""


@dataclass(frozen=True)
class SceneInfo(DataInfo):
    """DataInfo of traffic scenes.

    Attributes:
        history: observed steps T (20 in Argoverse 1, 50 in Argoverse 2).
        future: steps F to predict (30, 60).
        hz: steps per second.
        protocol: the evaluation protocol of the data set.
    """

    history: int = 20
    future: int = 30
    hz: float = HZ
    protocol: Protocol = Protocol.av1


@dataclass(frozen=True)
class SceneBatch:
    """S scenes with A agents and L lanes in all, ragged, in one graph; positions in each scene's own frame [m].

    ``graph["agent"]``, sorted by scene, the target first in its scene:
        history (A, T, 2) float32 and history_valid (A, T) bool: observed positions, zero where not valid.
        future (A, F, 2) float32 and future_valid (A, F) bool: all False where the future is withheld.
        type (A,) int64 AgentType; category (A,) int64 TrackCategory (-1 in Argoverse 1).
        heading (A,) float32 [rad] and velocity (A, 2) float32 [m/s] at the last observed step.
        is_target (A,) bool: the agent whose forecast is scored, one per scene; is_ego (A,) bool: the recording car.
        batch (A,) and ptr (S + 1,) int64: as torch-geometric has them.
    ``graph["lane"]``:
        points (L, P, 2) float32 and points_valid (L, P) bool: centreline, padded by repeating its last point.
        turn (Turn), intersection (0, 1), control (0, 1: has traffic control), lane_type (LaneType): (L,) int64.
        batch (L,), ptr (S + 1,) int64.
    ``graph["lane", relation, "lane"].edge_index`` (2, E) int64 for every relation of LANE_EDGES, within a scene.

    Attributes:
        graph: the HeteroData above.
        scene_id: name of each scene in its data set (sequence number, scenario uuid).
        city: city of each scene.
        agent_ids: track id of each agent, per scene.
        origin: (S, 2) float64 and rotation: (S,) float64 [rad]: city = R(rotation) @ scene + origin. They stay on the
            CPU: no network reads them, and float64 does not exist on every device.
        timestamps: (S, T) float32 seconds of the observed steps since the scene's first.
        index: (S,) row of each scene in its split (CPU).
        known: numbers that shapes hang on, as whoever made the batch knew them; None: ``sizes`` asks the graph.
    """

    graph: HeteroData
    scene_id: list[str]
    city: list[str]
    agent_ids: list[list[str]]
    origin: Float64[Tensor, "s 2"]
    rotation: Float64[Tensor, " s"]
    timestamps: Float[Tensor, "s t"]
    index: Int64[Tensor, " s"]
    known: SceneSizes | None = None

    def __len__(self) -> int:
        """Number of scenes S."""
        return len(self.scene_id)

    @classmethod
    def of(cls, given: Any) -> SceneBatch:
        """What a model of traffic scenes was called with as a batch: one, or a list of them.

        Raises:
            InputError: it is neither; says what to pass.
        """
        if isinstance(given, cls):
            return given
        if isinstance(given, list | tuple) and given and all(isinstance(scenes, cls) for scenes in given):
            return join_batches(given)
        raise InputError(
            "a model of traffic scenes takes a SceneBatch or a list of them, as no tensor holds scenes of different "
            f"numbers of agents and lanes; this is {described(given)}. Files become one by "
            'load_option("data", "argoverse2").read([path]) of geo_lm4ve.options (or "argoverse1"), made-up scenes by '
            "model.config.encoder.sample_batch(2)"
        )

    @property
    def scenes(self) -> int:
        """Number of scenes S."""
        return len(self.scene_id)

    @property
    def targets(self) -> Int64[Tensor, " s"]:
        """Row of each scene's target among all agents."""
        return self.graph["agent"].ptr[:-1]

    @property
    def sizes(self) -> SceneSizes:
        """Numbers that shapes hang on; counted in the graph where they are not known."""
        return SceneSizes.of(self.graph) if self.known is None else self.known

    def settled(self) -> SceneBatch:
        """The same batch with its sizes known; whoever then changes what is valid in place makes them wrong."""
        return replace(self, known=self.sizes)

    def to(self, device: torch.device | str) -> SceneBatch:
        """The same batch, settled, with graph and timestamps on another device."""
        graph, timestamps = self.graph.clone().to(device), self.timestamps.to(device)
        return replace(self.settled(), graph=graph, timestamps=timestamps)

    def to_city(
        self, positions: Float[Tensor, "n *shape 2"], scene: Int64[Tensor, " n"] | None = None
    ) -> Float64[Tensor, "n *shape 2"]:
        """Positions in scene frames as city coordinates [m], in float64 on the CPU.

        Args:
            positions: one row per scene (S, K, F, 2), or per agent with ``scene=graph["agent"].batch``.
            scene: scene of each row; row i belongs to scene i by default.
        """
        return frames.to_world(positions.detach().cpu().double(), *self._pose(scene))

    def to_scene(
        self, positions: Float[Tensor, "n *shape 2"], scene: Int64[Tensor, " n"] | None = None
    ) -> Float64[Tensor, "n *shape 2"]:
        """City coordinates [m] in scene frames: the inverse of ``to_city``."""
        return frames.to_local(positions.detach().cpu().double(), *self._pose(scene))

    def _pose(self, scene: Tensor | None) -> tuple[Tensor, Tensor]:
        if scene is None:
            return self.origin, self.rotation
        rows = scene.cpu()
        return self.origin[rows], self.rotation[rows]


def join_batches(batches: Sequence[SceneBatch]) -> SceneBatch:
    """Several batches of one data set as one."""
    if len(batches) == 1:
        return batches[0]
    graph = HeteroData()
    for kind in ("agent", "lane"):
        _join_nodes(graph, kind, [batch.graph for batch in batches])
    for relation in LANE_EDGES:
        edges, first = [], 0
        for batch in batches:
            edges.append(batch.graph["lane", relation, "lane"].edge_index + first)
            first += len(batch.graph["lane"].turn)
        graph["lane", relation, "lane"].edge_index = torch.cat(edges, 1)
    return SceneBatch(
        graph=graph,
        scene_id=[name for batch in batches for name in batch.scene_id],
        city=[name for batch in batches for name in batch.city],
        agent_ids=[names for batch in batches for names in batch.agent_ids],
        **{
            name: torch.cat([getattr(batch, name) for batch in batches])
            for name in ("origin", "rotation", "timestamps", "index")
        },
        known=SceneSizes.joined([batch.sizes for batch in batches]),
    )


def _join_nodes(graph: HeteroData, kind: str, parts: Sequence[HeteroData]) -> None:
    stores = [part[kind] for part in parts]
    width = max(store.points.shape[1] for store in stores) if kind == "lane" else 0
    for name in stores[0].keys():  # noqa: SIM118  (a torch-geometric store iterates over values)
        if name not in ("batch", "ptr", "num_nodes"):
            values = [store[name] for store in stores]
            if name in ("points", "points_valid"):
                values = [_widened(value, width) for value in values]
            graph[kind][name] = torch.cat(values)
    counts = torch.cat([store.ptr.diff() for store in stores])
    graph[kind].ptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    graph[kind].batch = torch.arange(len(counts)).repeat_interleave(counts)


def _widened(lanes: Tensor, width: int) -> Tensor:
    """Lane points (L, P, 2) or their validity (L, P) with P = width: points repeat the last one, validity is False."""
    missing = width - lanes.shape[1]
    if lanes.dtype == torch.bool:
        return torch.cat([lanes, lanes.new_zeros(len(lanes), missing)], 1)
    return torch.cat([lanes, lanes[:, -1:].expand(-1, missing, -1)], 1)
