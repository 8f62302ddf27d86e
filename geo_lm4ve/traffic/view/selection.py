"""Which agents and lanes of a scene are shown."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from geo_lm4ve.traffic.view.agents import AgentRows
from geo_lm4ve.traffic.view.conventions import AgentArea, AgentSelection, LaneArea, LaneSelection
from geo_lm4ve.traffic.view.lanes import LaneRows


def select_agents(agents: AgentRows, selection: AgentSelection) -> AgentRows:
    """The agents to show; each scene's target stays its first agent."""
    seen = agents.valid[:, : agents.history]
    place = last_observed(agents)
    if selection.area is AgentArea.box:
        keep = place.abs().amax(1) <= selection.radius
    elif selection.area is AgentArea.disc:
        keep = place.norm(dim=1) <= selection.radius
    else:
        keep = torch.ones(len(place), dtype=torch.bool)
    keep &= seen.sum(1) >= selection.min_history
    if selection.seen_last:
        keep &= seen[:, -1]
    keep[agents.ptr[:-1]] = True
    if selection.limit is not None:
        distance = place.norm(dim=1).masked_fill(~keep, torch.inf)
        distance[agents.ptr[:-1]] = -1.0
        keep &= _nearest(distance, agents.scene, agents.ptr, selection.limit)
    return agents.kept(keep)


def select_lanes(lanes: LaneRows, agents: AgentRows, selection: LaneSelection) -> LaneRows:
    """The lanes to show; ``lane_rows`` has applied the rules about boxes."""
    if selection.area is LaneArea.disc:
        lanes = lanes.kept(_distance(lanes) <= selection.radius)
    elif selection.area is LaneArea.near_agents:
        lanes = lanes.kept(_to_agents(lanes, agents) <= selection.radius)
    if selection.limit is not None:
        lanes = lanes.kept(_nearest(_distance(lanes), lanes.scene, lanes.ptr, selection.limit))
    return lanes


def last_observed(agents: AgentRows) -> Float32[Tensor, "a 2"]:
    """Position of each agent at its last observed step."""
    steps = (agents.valid[:, : agents.history] * torch.arange(1, agents.history + 1)).argmax(1)
    return agents.positions[torch.arange(len(steps)), steps]


def _distance(lanes: LaneRows) -> Float32[Tensor, " l"]:
    """Distance of each lane's nearest point from the origin."""
    return lanes.points.norm(dim=-1).amin(1)


def _to_agents(lanes: LaneRows, agents: AgentRows) -> Float32[Tensor, " l"]:
    """Distance of each lane's nearest point from the nearest agent of its scene."""
    places = last_observed(agents)
    pairs = []
    for scene in range(len(agents.ptr) - 1):
        points, near = lanes.points[lanes.scene == scene], places[agents.scene == scene]
        pairs.append(torch.cdist(points.flatten(0, 1), near).amin(1).view(points.shape[:2]).amin(1))
    return torch.cat(pairs)


def _nearest(
    distance: Float32[Tensor, " n"], scene: Int64[Tensor, " n"], ptr: Int64[Tensor, " s1"], limit: int
) -> Bool[Tensor, " n"]:
    """Whether each item is among the ``limit`` nearest of its scene."""
    order = distance.argsort(stable=True)
    order = order[scene[order].argsort(stable=True)]
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order)) - ptr[scene[order]]
    return rank < limit
