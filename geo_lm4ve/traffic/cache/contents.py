"""What the arrays of a ScenePack must be: checked whenever they are read, since what is derived of them trusts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Bool
from torch import Tensor

from geo_lm4ve.traffic.batch import LANE_EDGES, AgentType, LaneType, TrackCategory, Turn
from geo_lm4ve.traffic.records.plausible import FARTHEST


class Steps(NamedTuple):
    """Observed steps T and steps F to predict, of every scene of a layout."""

    history: int
    future: int


_OFFSETS = (torch.int32, torch.int64)
"""As they are stored, and as they are used."""
_KINDS: dict[str, tuple[tuple[torch.dtype, ...], tuple[int, ...]]] = {
    **dict.fromkeys(("scene_id", "city", "track_id"), ((torch.uint8,), ())),
    **dict.fromkeys(("scene_id_ptr", "city_ptr", "track_id_ptr", "agent_ptr", "lane_ptr"), (_OFFSETS, ())),
    **dict.fromkeys(("point_ptr", "link_ptr", "lane_view", "link_target"), (_OFFSETS, ())),
    **dict.fromkeys(("agent_type", "category", "link_kind"), ((torch.int8,), ())),
    **dict.fromkeys(("reference", "anchor"), ((torch.float64,), (2,))),
    **dict.fromkeys(("velocity", "positions", "points"), ((torch.float32,), (2,))),
    "times": ((torch.float32,), (-1,)),
    "is_ego": ((torch.bool,), ()),
    "heading": ((torch.float32,), ()),
    "valid_bits": ((torch.uint8,), (-1,)),
    "attributes": ((torch.int8,), (4,)),
}
"""dtypes and axes after the first; -1: of any length."""
_HIGHEST = torch.tensor([max(Turn), 1, 1, max(LaneType)], dtype=torch.int8)
"""Of the four attributes of a lane."""


def check_kinds(arrays: Mapping[str, Tensor]) -> None:
    """ValueError unless all arrays are there, and nothing else, with their dtypes and axes."""
    if odd := sorted(_KINDS.keys() ^ arrays.keys()):
        raise ValueError(f"it lacks or adds arrays: {', '.join(map('{:.40}'.format, odd[:8]))}")
    for name, (dtypes, axes) in _KINDS.items():
        found = arrays[name]
        fits = found.dim() == 1 + len(axes) and all(axis in (-1, n) for axis, n in zip(axes, found.shape[1:]))
        if found.dtype not in dtypes or not fits:
            raise ValueError(f"{name} is {found.dtype} {tuple(found.shape)}, not {dtypes[0]} (n, {axes})")


def check_contents(values: Mapping[str, Tensor], valid: Bool[Tensor, "a bits"], steps: Steps | None) -> None:
    """Check what the arrays say of one another and of scenes.

    Args:
        values: as of ``check_kinds``, offsets as int64.
        valid: ``valid_bits``, one by one.
        steps: of the scenes; None: any.

    Raises:
        ValueError: the first thing that is wrong.
    """
    scenes, agents, lanes = len(values["reference"]), len(values["heading"]), len(values["anchor"])
    for name in ("agent_type", "category", "is_ego", "velocity", "valid_bits"):
        _require(len(values[name]) == agents, f"{name} is not of all agents")
    _require(len(values["times"]) == scenes, "times are not of all scenes")
    _require(len(values["attributes"]) == lanes, "attributes are not of all lanes")
    _require(len(values["link_kind"]) == len(values["link_target"]), "link_kind is not of all links")
    for owner, name, rows in (
        ("scene_id", "scene_id", scenes),
        ("city", "city", scenes),
        ("track_id", "track_id", agents),
    ):
        _check_offsets(values, f"{owner}_ptr", name, rows)
        _check_texts(values[name], values[f"{owner}_ptr"], name)
    _check_offsets(values, "agent_ptr", "heading", scenes, least=1)
    _check_offsets(values, "lane_ptr", "lane_view", scenes)
    _check_offsets(values, "point_ptr", "points", lanes, least=2)
    _check_offsets(values, "link_ptr", "link_target", lanes)
    _check_numbers(values)
    _check_lanes(values, lanes)
    _check_tracks(values, valid, steps)


def _require(holds: bool | Tensor, fault: str) -> None:
    if not holds:
        raise ValueError(fault)


def _check_offsets(values: Mapping[str, Tensor], name: str, items: str, rows: int, least: int = 0) -> None:
    """Offsets of that many rows into ``items``, at least ``least`` of them in each."""
    ptr = values[name]
    _require(len(ptr) == rows + 1 and ptr[0] == 0 and ptr[-1] == len(values[items]), f"{name} does not span {items}")
    _require((ptr.diff() >= least).all(), f"{name} leaves less than {least} of {items} to a row")


def _check_texts(data: Tensor, ptr: Tensor, name: str) -> None:
    """UTF-8, cut between characters."""
    data.numpy().tobytes().decode()
    inside = ptr[ptr < len(data)]
    _require(((data[inside] & 0xC0) != 0x80).all(), f"{name} is cut within a character")


def _check_numbers(values: Mapping[str, Tensor]) -> None:
    for name in ("reference", "times", "heading", "velocity", "positions", "anchor", "points"):
        _require((values[name].abs() <= 2 * FARTHEST).all(), f"{name} holds numbers that are not finite, or huge")
    ranges = {"agent_type": (0, max(AgentType)), "category": (min(TrackCategory), max(TrackCategory))}
    for name, (low, high) in {**ranges, "link_kind": (0, len(LANE_EDGES) - 1)}.items():
        _require(((values[name] >= low) & (values[name] <= high)).all(), f"{name} leaves {low}..{high}")
    attributes = values["attributes"]
    _require(((attributes >= 0) & (attributes <= _HIGHEST)).all(), "attributes hold what no lane is")


def _check_lanes(values: Mapping[str, Tensor], lanes: int) -> None:
    for name in ("lane_view", "link_target"):
        _require(((values[name] >= 0) & (values[name] < lanes)).all(), f"{name} names lanes that are not there")
    rises = values["lane_view"].diff() > 0
    starts = values["lane_ptr"][1:-1]
    rises[starts[(starts > 0) & (starts < len(values["lane_view"]))] - 1] = True  # from one scene to the next
    _require(rises.all(), "lane_view is not ascending within a scene")


def _check_tracks(values: Mapping[str, Tensor], valid: Bool[Tensor, "a bits"], steps: Steps | None) -> None:
    history, first = values["times"].shape[1], values["agent_ptr"][:-1]
    _require((values["times"].diff(dim=1) > 0).all(), "times are not ascending")
    if steps is not None:
        bits = sum(steps)
        fits = history == steps.history and valid.shape[1] == -(-bits // 8) * 8
        _require(fits, f"its scenes do not have {steps.history} observed steps and {steps.future} to predict")
        _require(not valid[:, bits:].any(), "valid_bits go beyond the last step")
    _require(valid.sum() == len(values["positions"]), "valid_bits do not say where the positions belong")
    _require(history > 0 and valid[:, :history].any(1).all(), "there are agents that are never observed")
    _require(valid[first, :history].all(), "there are targets that are not always observed")
    ego = values["is_ego"].long().cumsum(0)
    before = torch.cat([ego.new_zeros(1), ego])[values["agent_ptr"]]
    _require((before.diff() <= 1).all(), "there are scenes with several recording cars")
