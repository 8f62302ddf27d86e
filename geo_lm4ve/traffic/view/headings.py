"""The rotation of each scene's frame, by one of the field's conventions."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from geo_lm4ve.traffic.frames import displacement_heading, regression_heading
from geo_lm4ve.traffic.view.agents import AgentRows
from geo_lm4ve.traffic.view.conventions import Forward, FrameConfig, Heading
from geo_lm4ve.traffic.view.lanes import LaneRows

LANE_DISTANCE = 4.5
"""A lane's direction counts within this distance [m]: confidence 1 - distance / 5 above 0.1 in argoverse-api."""


def scene_rotation(
    agents: AgentRows,
    centre: Int64[Tensor, " s"],
    lanes: LaneRows,
    annotated: Float64[Tensor, " s"],
    frame: FrameConfig,
) -> Float64[Tensor, " s"]:
    """(S,) rotation [rad] with city = R(rotation) @ scene + origin.

    Args:
        agents: in the axes of the city.
        centre: the agent at each scene's origin.
        lanes: in the axes of the city.
        annotated: heading of the agents at the origins as it comes with the data [rad].
        frame: the convention.
    """
    if frame.heading is Heading.city:
        return torch.zeros(len(agents.origin), dtype=torch.float64)
    track, valid = agents.positions[centre, : agents.history].double(), agents.valid[centre, : agents.history]
    if frame.heading is Heading.annotated:
        heading = annotated
    elif frame.heading is Heading.displacement:
        heading = displacement_heading(track, valid, frame.min_move)
    elif frame.heading is Heading.regression:
        heading = regression_heading(track, min_move=frame.min_move)
    else:
        heading = _lane_heading(lanes, displacement_heading(track[:, -4:][:, [0, 3]], valid[:, -4:][:, [0, 3]]))
    return heading - math.pi / 2 if frame.forward is Forward.y else heading


def _lane_heading(lanes: LaneRows, otherwise: Float64[Tensor, " s"]) -> Float64[Tensor, " s"]:
    """Direction of the centreline segment nearest to each origin, where one is near."""
    start, along = lanes.points[:, :-1].double(), lanes.points.diff(dim=1).double()
    length = along.norm(dim=-1)
    share = (-(start * along).sum(-1) / length.square().clamp(min=1e-9)).clamp(0, 1)
    distance = (start + share[..., None] * along).norm(dim=-1).masked_fill(length == 0, math.inf)
    nearest, segment = distance.min(1)
    least = torch.full_like(otherwise, LANE_DISTANCE).scatter_reduce(0, lanes.scene, nearest, "amin")
    chosen = (nearest == least[lanes.scene]).nonzero()[:, 0].flip(0)
    way = along[chosen, segment[chosen]]
    heading = otherwise.clone()
    heading[lanes.scene[chosen]] = torch.atan2(way[:, 1], way[:, 0])
    return heading
