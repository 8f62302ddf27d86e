"""Stored scenes -> SceneBatch, for all scenes of a batch at once."""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch_geometric.data import HeteroData

from geo_lm4ve.data.scene_frames import SceneView
from geo_lm4ve.data.scene_headings import scene_rotation
from geo_lm4ve.data.scene_pack import ScenePack, decode_texts
from geo_lm4ve.data.scene_rows import AgentRows, LaneRows, agent_rows, lane_rows
from geo_lm4ve.data.scene_selection import select_agents, select_lanes
from geo_lm4ve.data.scenes import LANE_EDGES, SceneBatch
from geo_lm4ve.geometry import frames


def assemble(
    pack: ScenePack, rows: Int64[Tensor, " s"], index: Int64[Tensor, " s"], view: SceneView, future: int
) -> SceneBatch:
    """Some scenes of a pack as a batch.

    Args:
        pack: stored scenes.
        rows: which of them.
        index: their rows in the split.
        view: frame, agents and lanes to show.
        future: steps F.

    Raises:
        DataError: the frame's origin is the recording car and a scene has none.
    """
    agents, centre = agent_rows(pack, rows, future, view.frame.origin)
    lanes = lane_rows(pack, rows, agents.origin, view.lanes)
    annotated = pack.heading[agents.row[centre]].double()
    rotation = scene_rotation(agents, centre, lanes, annotated, view.frame)
    agents = select_agents(agents.rotated(rotation), view.agents)
    lanes = select_lanes(lanes.rotated(rotation), agents, view.lanes)
    graph = HeteroData()
    _put_agents(graph, pack, agents, rotation)
    _put_lanes(graph, pack, lanes, view.lanes.points)
    return SceneBatch(
        graph=graph,
        scene_id=decode_texts(pack.scene_id, pack.scene_id_ptr, rows.tolist()),
        city=decode_texts(pack.city, pack.city_ptr, rows.tolist()),
        agent_ids=_track_ids(pack, agents),
        origin=agents.origin,
        rotation=rotation,
        timestamps=pack.times[rows],
        index=index,
    )


def _put_agents(graph: HeteroData, pack: ScenePack, agents: AgentRows, rotation: Float64[Tensor, " s"]) -> None:
    store, history, row = graph["agent"], agents.history, agents.row
    turn = rotation[agents.scene]
    positions = (agents.positions * agents.valid[..., None]).float()
    store.history, store.future = positions[:, :history], positions[:, history:]
    store.history_valid, store.future_valid = agents.valid[:, :history], agents.valid[:, history:]
    store.type, store.category = pack.agent_type[row].long(), pack.category[row].long()
    store.heading = frames.wrap_angle(pack.heading[row] - turn).float()
    store.velocity = frames.rotate(pack.velocity[row].double(), -turn).float()
    store.is_ego = pack.is_ego[row]
    store.batch, store.ptr = agents.scene, agents.ptr
    store.is_target = torch.zeros(len(row), dtype=torch.bool)
    store.is_target[agents.ptr[:-1]] = True


def _put_lanes(graph: HeteroData, pack: ScenePack, lanes: LaneRows, points: int | None) -> None:
    store = graph["lane"]
    store.points, store.points_valid = lanes.padded(points)
    attributes = pack.attributes[lanes.row].long()
    store.turn, store.intersection, store.control, store.lane_type = attributes.unbind(1)
    store.batch, store.ptr = lanes.scene, lanes.ptr
    source, target, kind = lanes.links(pack)
    for number, relation in enumerate(LANE_EDGES):
        chosen = kind == number
        graph["lane", relation, "lane"].edge_index = torch.stack([source[chosen], target[chosen]])


def _track_ids(pack: ScenePack, agents: AgentRows) -> list[list[str]]:
    ids = decode_texts(pack.track_id, pack.track_id_ptr, agents.row.tolist())
    bounds = agents.ptr.tolist()
    return [ids[start:stop] for start, stop in pairwise(bounds)]
