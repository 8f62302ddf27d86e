"""Stored scenes -> SceneBatch, for all scenes of a batch at once."""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch_geometric.data import HeteroData

from geo_lm4ve.traffic import frames
from geo_lm4ve.traffic.batch import LANE_EDGES, SceneBatch
from geo_lm4ve.traffic.cache.pack import ScenePack, decode_texts
from geo_lm4ve.traffic.view.agents import AgentRows, agent_rows
from geo_lm4ve.traffic.view.conventions import SceneView
from geo_lm4ve.traffic.view.headings import scene_rotation
from geo_lm4ve.traffic.view.lanes import LaneRows, lane_rows, resampled
from geo_lm4ve.traffic.view.selection import select_agents, select_lanes


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
    if view.lanes.points is not None:
        lanes = resampled(lanes, view.lanes.points)
    graph = HeteroData()
    _put_agents(graph, pack, agents, rotation)
    _put_lanes(graph, pack, lanes)
    return SceneBatch(
        graph=graph,
        scene_id=decode_texts(pack.scene_id, pack.scene_id_ptr, rows),
        city=decode_texts(pack.city, pack.city_ptr, rows),
        agent_ids=_track_ids(pack, agents),
        origin=agents.origin,
        rotation=rotation,
        timestamps=pack.times[rows],
        index=index,
    ).settled()


def _put_agents(graph: HeteroData, pack: ScenePack, agents: AgentRows, rotation: Float64[Tensor, " s"]) -> None:
    store, history, row = graph["agent"], agents.history, agents.row
    turn = rotation[agents.scene]
    store.history, store.future = agents.positions[:, :history], agents.positions[:, history:]
    store.history_valid, store.future_valid = agents.valid[:, :history], agents.valid[:, history:]
    store.type, store.category = pack.agent_type[row].long(), pack.category[row].long()
    store.heading = frames.wrap_angle(pack.heading[row] - turn).float()
    store.velocity = frames.rotate(pack.velocity[row].double(), -turn).float()
    store.is_ego = pack.is_ego[row]
    store.batch, store.ptr = agents.scene, agents.ptr
    store.is_target = torch.zeros(len(row), dtype=torch.bool)
    store.is_target[agents.ptr[:-1]] = True


def _put_lanes(graph: HeteroData, pack: ScenePack, lanes: LaneRows) -> None:
    store = graph["lane"]
    store.points, store.points_valid = lanes.points, lanes.valid
    attributes = pack.attributes[lanes.row].long()
    store.turn, store.intersection, store.control, store.lane_type = attributes.unbind(1)
    store.batch, store.ptr = lanes.scene, lanes.ptr
    for relation, links in zip(LANE_EDGES, lanes.links(pack)):
        graph["lane", relation, "lane"].edge_index = links


def _track_ids(pack: ScenePack, agents: AgentRows) -> list[list[str]]:
    ids = decode_texts(pack.track_id, pack.track_id_ptr, agents.row)
    bounds = agents.ptr.tolist()
    return [ids[start:stop] for start, stop in pairwise(bounds)]
