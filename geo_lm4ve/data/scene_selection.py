"""Which agents and lanes of a scene are shown."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from geo_lm4ve.data.scene_frames import AgentArea, AgentSelection, LaneArea, LaneSelection
from geo_lm4ve.data.scene_rows import AgentRows, LaneRows


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
        lanes = lanes.kept(_least(lanes, lanes.points.norm(dim=1)) <= selection.radius)
    elif selection.area is LaneArea.near_agents:
        lanes = lanes.kept(_least(lanes, _to_agents(lanes, agents)) <= selection.radius)
    if selection.limit is not None:
        distance = _least(lanes, lanes.points.norm(dim=1))
        lanes = lanes.kept(_nearest(distance, lanes.scene, lanes.ptr, selection.limit))
    return lanes


def last_observed(agents: AgentRows) -> Float64[Tensor, "a 2"]:
    """Position of each agent at its last observed step."""
    steps = (agents.valid[:, : agents.history] * torch.arange(1, agents.history + 1)).argmax(1)
    return agents.positions[torch.arange(len(steps)), steps]


def _least(lanes: LaneRows, values: Float64[Tensor, " r"]) -> Float64[Tensor, " l"]:
    """The least of the values of each lane's points."""
    start = torch.full((len(lanes.row),), torch.inf, dtype=values.dtype)
    return start.scatter_reduce(0, lanes.lane, values, "amin")


def _to_agents(lanes: LaneRows, agents: AgentRows) -> Float64[Tensor, " r"]:
    """Distance of each lane point to the nearest agent of its scene."""
    scene, place = lanes.scene[lanes.lane], last_observed(agents)
    pairs = [
        torch.cdist(lanes.points[scene == s], place[agents.scene == s]).amin(1) for s in range(len(agents.ptr) - 1)
    ]
    return torch.cat(pairs)


def _nearest(
    distance: Float64[Tensor, " n"], scene: Int64[Tensor, " n"], ptr: Int64[Tensor, " s1"], limit: int
) -> Bool[Tensor, " n"]:
    """Whether each item is among the ``limit`` nearest of its scene."""
    order = distance.argsort(stable=True)
    order = order[scene[order].argsort(stable=True)]
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order)) - ptr[scene[order]]
    return rank < limit
