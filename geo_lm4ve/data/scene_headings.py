"""The rotation of each scene's frame, by one of the field's conventions."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from geo_lm4ve.data.scene_frames import Forward, FrameConfig, Heading
from geo_lm4ve.data.scene_rows import AgentRows, LaneRows
from geo_lm4ve.geometry.frames import displacement_heading, regression_heading

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
    track, valid = agents.positions[centre, : agents.history], agents.valid[centre, : agents.history]
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
    inner = lanes.lane[1:] == lanes.lane[:-1]
    start, along = lanes.points[:-1][inner], lanes.points.diff(dim=0)[inner]
    scene = lanes.scene[lanes.lane[:-1][inner]]
    share = (-(start * along).sum(1) / along.square().sum(1).clamp(min=1e-9)).clamp(0, 1)
    distance = (start + share[:, None] * along).norm(dim=1)
    least = torch.full_like(otherwise, LANE_DISTANCE).scatter_reduce(0, scene, distance, "amin")
    nearest = (distance == least[scene]).nonzero()[:, 0].flip(0)
    heading = otherwise.clone()
    heading[scene[nearest]] = torch.atan2(along[nearest, 1], along[nearest, 0])
    return heading
