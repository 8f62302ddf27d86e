"""Agents and lanes of the scenes of one batch, gathered from a pack."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from geo_lm4ve.data.base import DataError
from geo_lm4ve.data.scene_frames import LaneArea, LaneSelection, Origin
from geo_lm4ve.data.scene_pack import ScenePack, decode_texts, ragged, unpack_bits
from geo_lm4ve.geometry import frames


@dataclass(frozen=True)
class AgentRows:
    """A agents of S scenes, sorted by scene, targets first in their scenes.

    Attributes:
        row: (A,) their rows in the pack.
        scene: (A,) their scenes.
        ptr: (S + 1,).
        positions: (A, T + F, 2) relative to ``origin`` [m].
        valid: (A, T + F).
        history: T.
        origin: (S, 2) city coordinates.
    """

    row: Int64[Tensor, " a"]
    scene: Int64[Tensor, " a"]
    ptr: Int64[Tensor, " s1"]
    positions: Float64[Tensor, "a t 2"]
    valid: Bool[Tensor, "a t"]
    history: int
    origin: Float64[Tensor, "s 2"]

    def rotated(self, rotation: Float64[Tensor, " s"]) -> AgentRows:
        """Positions in frames that are turned by ``rotation`` against the city."""
        return replace(self, positions=frames.rotate(self.positions, -rotation[self.scene]))

    def kept(self, keep: Bool[Tensor, " a"]) -> AgentRows:
        """Only some agents."""
        scene = self.scene[keep]
        return replace(
            self, row=self.row[keep], scene=scene, ptr=offsets(scene, len(self.origin)),
            positions=self.positions[keep], valid=self.valid[keep],
        )  # fmt: skip


@dataclass(frozen=True)
class LaneRows:
    """L lanes of S scenes, sorted by scene, with R centreline points in all.

    Attributes:
        row: (L,) their rows in the pack's lane table, ascending within a scene.
        scene: (L,) their scenes.
        ptr: (S + 1,).
        points: (R, 2) relative to the scene's origin [m].
        lane: (R,) the lane of each point.
        counts: (L,) points per lane.
    """

    row: Int64[Tensor, " l"]
    scene: Int64[Tensor, " l"]
    ptr: Int64[Tensor, " s1"]
    points: Float64[Tensor, "r 2"]
    lane: Int64[Tensor, " r"]
    counts: Int64[Tensor, " l"]

    def rotated(self, rotation: Float64[Tensor, " s"]) -> LaneRows:
        """Points in frames that are turned by ``rotation`` against the city."""
        return replace(self, points=frames.rotate(self.points, -rotation[self.scene[self.lane]]))

    def kept(self, keep: Bool[Tensor, " l"]) -> LaneRows:
        """Only some lanes."""
        scene, counts, stay = self.scene[keep], self.counts[keep], keep[self.lane]
        lane = torch.arange(len(scene)).repeat_interleave(counts)
        return LaneRows(self.row[keep], scene, offsets(scene, len(self.ptr) - 1), self.points[stay], lane, counts)

    def padded(self, resample: int | None) -> tuple[Float[Tensor, "l p 2"], Bool[Tensor, "l p"]]:
        """float32 points of each lane, padded by repeating the last one, and which are real."""
        width = int(self.counts.max()) if len(self.counts) else 2
        steps = torch.arange(width)
        first = (self.counts.cumsum(0) - self.counts)[:, None]
        points = self.points[first + torch.minimum(steps, self.counts[:, None] - 1)]
        valid = steps < self.counts[:, None]
        if resample is not None and width > resample:
            points, valid = _resampled(points, self.counts, resample)
        return points.float(), valid

    def links(self, pack: ScenePack) -> tuple[Int64[Tensor, " e"], Int64[Tensor, " e"], Int64[Tensor, " e"]]:
        """Source, target and kind of the links between these lanes."""
        link, counts = ragged(pack.link_ptr, self.row)
        source = torch.arange(len(self.row)).repeat_interleave(counts)
        lanes = len(pack.anchor)
        keys = self.scene * lanes + self.row
        wanted = self.scene[source] * lanes + pack.link_target[link]
        target = torch.searchsorted(keys, wanted).clamp(max=max(len(keys) - 1, 0))
        here = keys[target] == wanted
        return source[here], target[here], pack.link_kind[link][here].long()


def agent_rows(
    pack: ScenePack, rows: Int64[Tensor, " s"], future: int, origin: Origin
) -> tuple[AgentRows, Int64[Tensor, " s"]]:
    """All agents of some scenes, positions relative to the scenes' origins in the axes of the city.

    The second value is the agent at each scene's origin.

    Raises:
        DataError: the origin is the recording car and a scene has none.
    """
    row, counts = ragged(pack.agent_ptr, rows)
    history = pack.times.shape[1]
    scene = torch.arange(len(rows)).repeat_interleave(counts)
    ptr = offsets(scene, len(rows))
    valid = unpack_bits(pack.valid_bits[row])[:, : history + future]
    positions = torch.zeros(*valid.shape, 2, dtype=torch.float64)
    positions[valid] = pack.positions[ragged(pack.step_ptr, row)[0]].double()
    centre = ptr[:-1]
    if origin is Origin.ego:
        centre = _ego(pack, rows, pack.is_ego[row] & valid[:, history - 1], scene)
        positions = positions - positions[centre, history - 1][scene][:, None]
    moved = positions[ptr[:-1], history - 1]
    return AgentRows(row, scene, ptr, positions, valid, history, pack.reference[rows] - moved), centre


def _ego(pack: ScenePack, rows: Tensor, is_ego: Tensor, scene: Tensor) -> Tensor:
    found = is_ego.nonzero()[:, 0]
    without = torch.bincount(scene[found], minlength=len(rows)) == 0
    if without.any():
        name = decode_texts(pack.scene_id, pack.scene_id_ptr, rows[without].tolist())[0]
        raise DataError(
            f"scene {name} has no recording car at its last observed step, which data.frame.origin=ego needs; "
            "choose data.frame.origin=target"
        )
    return found


def lane_rows(
    pack: ScenePack, rows: Int64[Tensor, " s"], origin: Float64[Tensor, "s 2"], selection: LaneSelection
) -> LaneRows:
    """The lanes of some scenes whose boxes fit the selection, relative to the origins in the axes of the city."""
    view, counts = ragged(pack.lane_ptr, rows)
    row = pack.lane_view[view]
    scene = torch.arange(len(rows)).repeat_interleave(counts)
    corner = pack.anchor[row] - origin[scene]
    low, high = corner + pack.box[row, :2], corner + pack.box[row, 2:]
    if selection.area is LaneArea.inside_box:
        fits = (low >= -selection.radius) & (high <= selection.radius)
    elif selection.area is LaneArea.near_agents:
        fits = torch.ones_like(low, dtype=torch.bool)
    else:
        fits = (low <= selection.radius) & (high >= -selection.radius)
    keep = fits.all(1)
    row, scene, corner = row[keep], scene[keep], corner[keep]
    point, counts = ragged(pack.point_ptr, row)
    lane = torch.arange(len(row)).repeat_interleave(counts)
    points = pack.points[point] + corner[lane]
    return LaneRows(row, scene, offsets(scene, len(rows)), points, lane, counts)


def offsets(scene: Int64[Tensor, " n"], scenes: int) -> Int64[Tensor, " s1"]:
    """Where each scene's items start, from their sorted scene numbers."""
    return torch.searchsorted(scene, torch.arange(scenes + 1))


def _resampled(points: Tensor, counts: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Lanes of more than ``count`` points at ``count`` evenly spaced ones; shorter ones as they are."""
    steps = (points[:, 1:] - points[:, :-1]).norm(dim=-1)
    along = torch.cat([steps.new_zeros(len(steps), 1), steps.cumsum(1)], 1)
    wanted = along[:, -1:] * torch.linspace(0, 1, count, dtype=along.dtype)
    right = torch.searchsorted(along, wanted).clamp(1, along.shape[1] - 1)
    share = (wanted - along.gather(1, right - 1)) / steps.gather(1, right - 1).clamp(min=1e-9)
    ends = [points.gather(1, place[..., None].expand(-1, -1, 2)) for place in (right - 1, right)]
    even = torch.lerp(ends[0], ends[1], share[..., None])
    long = (counts > count)[:, None]
    return torch.where(long[..., None], even, points[:, :count]), (torch.arange(count) < counts[:, None]) | long
