"""Batches of random traffic scenes for model tests, and two golden ones from formulas."""

import torch
from torch_geometric.data import HeteroData

from geo_lm4ve.traffic.batch import SceneBatch
from geo_lm4ve.traffic.sample import F, P, T, collate, scene

__all__ = ["collate", "double", "golden", "scene"]


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
