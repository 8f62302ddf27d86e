"""Small batches of random traffic scenes: ragged, with late tracks, gaps and hidden futures. For tests of models."""

from __future__ import annotations

import torch
from torch_geometric.data import Batch, HeteroData

from geo_lm4ve.traffic.batch import HZ, LANE_EDGES, LaneType, SceneBatch, TrackCategory

T, F, P = 20, 30, 10
"""Observed and future steps, and points of a lane, unless told."""


def scene(agents: int, lanes: int, seed: int, history: int = T, future: int = F, points: int = P) -> HeteroData:
    """One scene: cars on random straight lines, lanes as random walks, in the frame of the first car."""
    random = torch.Generator().manual_seed(seed)
    graph = HeteroData()
    graph["agent"].num_nodes, graph["lane"].num_nodes = agents, lanes
    start = 40 * torch.randn(agents, 1, 2, generator=random)
    speed = 0.8 * torch.randn(agents, 1, 2, generator=random)
    start[0] = 0
    time = torch.arange(1.0 - history, future + 1)[None, :, None]
    track = start + speed * time + 0.05 * torch.randn(agents, history + future, 2, generator=random)
    seen = torch.rand(agents, history + future, generator=random) > 0.1
    for agent in range(1, agents):
        seen[agent, : int(torch.randint(0, history - 1, (1,), generator=random))] = False
    seen[0], seen[:, history - 1] = True, True
    track = torch.where(seen[..., None], track, 0.0)
    graph["agent"].history, graph["agent"].history_valid = track[:, :history], seen[:, :history]
    graph["agent"].future, graph["agent"].future_valid = track[:, history:], seen[:, history:]
    graph["agent"].type = torch.ones(agents, dtype=torch.int64)
    graph["agent"].category = torch.full((agents,), TrackCategory.none)
    graph["agent"].velocity, graph["agent"].heading = HZ * speed[:, 0], torch.atan2(speed[:, 0, 1], speed[:, 0, 0])
    graph["agent"].is_target = torch.arange(agents) == 0
    graph["agent"].is_ego = torch.zeros(agents, dtype=torch.bool)
    walk = 40 * torch.randn(lanes, 1, 2, generator=random) + torch.randn(lanes, points, 2, generator=random).cumsum(1)
    length = torch.randint(2, points + 1, (lanes, 1), generator=random)
    place = torch.arange(points)[None].expand(lanes, -1)
    graph["lane"].points = walk.take_along_dim(torch.minimum(place, length - 1)[..., None], dim=1)
    graph["lane"].points_valid = place < length
    for name, values in {"turn": 3, "intersection": 2, "control": 2}.items():
        graph["lane"][name] = torch.randint(0, values, (lanes,), generator=random)
    graph["lane"].lane_type = torch.full((lanes,), LaneType.vehicle)
    for relation in LANE_EDGES:
        graph["lane", relation, "lane"].edge_index = torch.empty(2, 0, dtype=torch.int64)
    return graph


def collate(*scenes: HeteroData) -> SceneBatch:
    """A batch of scenes."""
    count, history = len(scenes), scenes[0]["agent"].history.shape[1]
    return SceneBatch(
        graph=Batch.from_data_list(list(scenes)),
        scene_id=[f"scene-{i}" for i in range(count)],
        city=["PIT"] * count,
        agent_ids=[[str(agent) for agent in range(graph["agent"].num_nodes)] for graph in scenes],
        origin=torch.zeros(count, 2, dtype=torch.float64),
        rotation=torch.zeros(count, dtype=torch.float64),
        timestamps=(torch.arange(float(history)) / HZ).expand(count, -1),
        index=torch.arange(count),
    )


def sample_batch(size: int = 2, seed: int = 0) -> SceneBatch:
    """``size`` scenes of different numbers of agents and lanes; of each with several agents, the last one has left."""
    random = torch.Generator().manual_seed(seed)
    scenes = []
    for place, (agents, lanes) in enumerate(torch.randint(1, 8, (size, 2), generator=random).tolist()):
        scenes.append(scene(agents, lanes, seed + place))
        scenes[-1]["agent"].history_valid[1:][-1:, -1] = False
    return collate(*scenes)
