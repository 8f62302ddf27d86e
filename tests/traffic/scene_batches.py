"""Small batches of random traffic scenes for model tests: ragged, with late tracks, gaps and hidden futures."""

import torch
from torch_geometric.data import Batch, HeteroData

from geo_lm4ve.traffic.batch import SceneBatch

T, F, P = 20, 30, 10


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
    graph["agent"].is_target = torch.arange(agents) == 0
    walk = 40 * torch.randn(lanes, 1, 2, generator=random) + torch.randn(lanes, points, 2, generator=random).cumsum(1)
    length = torch.randint(2, points + 1, (lanes, 1), generator=random)
    place = torch.arange(points)[None].expand(lanes, -1)
    graph["lane"].points = walk.take_along_dim(torch.minimum(place, length - 1)[..., None], dim=1)
    graph["lane"].points_valid = place < length
    for name, values in {"turn": 3, "intersection": 2, "control": 2}.items():
        graph["lane"][name] = torch.randint(0, values, (lanes,), generator=random)
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
        timestamps=(0.1 * torch.arange(float(history))).expand(count, -1),
        index=torch.arange(count),
    )


def double(batch: SceneBatch) -> SceneBatch:
    """The same batch with the positions in float64."""
    graph = batch.graph.clone()
    for kind, name in (("agent", "history"), ("agent", "future"), ("lane", "points")):
        graph[kind][name] = graph[kind][name].double()
    return SceneBatch(**{**vars(batch), "graph": graph, "timestamps": batch.timestamps.double()})


def golden() -> SceneBatch:
    """Two float64 scenes from formulas: late tracks but no gaps, and whole lanes, as the original projects want."""
    return double(collate(_formula(3, 4), _formula(2, 2)))


def _formula(agents: int, lanes: int) -> HeteroData:
    graph = scene(agents, lanes, seed=0)
    number, time = torch.arange(agents)[:, None], torch.arange(1 - T, F + 1)[None]
    track = torch.stack([11 * number + 0.7 * time, 5 * (0.1 * (time + 3 * number)).sin()], dim=-1)
    track = track - track[0, T - 1]
    seen = (time >= 5 * number - T + 1).expand(agents, -1)
    track = torch.where(seen[..., None], track, 0.0)
    graph["agent"].history, graph["agent"].history_valid = track[:, :T], seen[:, :T]
    graph["agent"].future, graph["agent"].future_valid = track[:, T:], seen[:, T:]
    lane, place = torch.arange(lanes)[:, None], torch.arange(P)[None]
    graph["lane"].points = torch.stack([4.0 * place - 9 * lane, 3 * lane + (0.5 * place + lane).cos()], dim=-1)
    graph["lane"].points_valid = torch.ones(lanes, P, dtype=torch.bool)
    graph["lane"].turn, graph["lane"].intersection = lane[:, 0] % 3, lane[:, 0] % 2
    graph["lane"].control = (lane[:, 0] + 1) % 2
    return graph
