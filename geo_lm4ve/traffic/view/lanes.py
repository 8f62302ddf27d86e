"""Lanes of the scenes of one batch, gathered from a pack."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float32, Float64, Int64
from torch import Tensor

from geo_lm4ve.traffic import frames
from geo_lm4ve.traffic.batch import LANE_EDGES
from geo_lm4ve.traffic.cache.pack import ScenePack, ragged
from geo_lm4ve.traffic.view.agents import offsets
from geo_lm4ve.traffic.view.conventions import LaneArea, LaneSelection


@dataclass(frozen=True)
class LaneRows:
    """L lanes of S scenes, sorted by scene.

    Attributes:
        row: (L,) their rows in the pack's lane table, ascending within a scene.
        scene: (L,) their scenes.
        ptr: (S + 1,).
        points: (L, P, 2) centrelines relative to the scene's origin [m], padded by repeating the last point.
        counts: (L,) points that are real.
    """

    row: Int64[Tensor, " l"]
    scene: Int64[Tensor, " l"]
    ptr: Int64[Tensor, " s1"]
    points: Float32[Tensor, "l p 2"]
    counts: Int64[Tensor, " l"]

    @property
    def valid(self) -> Bool[Tensor, "l p"]:
        """Which points are real."""
        return torch.arange(self.points.shape[1]) < self.counts[:, None]

    def rotated(self, rotation: Float64[Tensor, " s"]) -> LaneRows:
        """Points in frames that are turned by ``rotation`` against the city."""
        angle = -rotation.index_select(0, self.scene)
        return replace(self, points=frames.rotate(self.points, angle.float()))

    def kept(self, keep: Bool[Tensor, " l"]) -> LaneRows:
        """Only some lanes."""
        scene = self.scene[keep]
        return LaneRows(self.row[keep], scene, offsets(scene, len(self.ptr) - 1), self.points[keep], self.counts[keep])

    def links(self, pack: ScenePack) -> list[Int64[Tensor, "2 e"]]:
        """Source and target of the links between these lanes, for every relation of LANE_EDGES."""
        link, counts = ragged(pack.link_ptr, self.row)
        source = torch.arange(len(self.row)).repeat_interleave(counts, output_size=len(link))
        target, here = self._places(source, pack.link_target.index_select(0, link))
        kind = pack.link_kind.index_select(0, link).masked_fill_(~here, len(LANE_EDGES))
        order = kind.argsort(stable=True)
        pairs = torch.stack([source, target]).index_select(1, order)
        return list(pairs.split(kind.long().bincount(minlength=len(LANE_EDGES) + 1).tolist(), 1)[:-1])

    def _places(
        self, source: Int64[Tensor, " e"], row: Int64[Tensor, " e"]
    ) -> tuple[Int64[Tensor, " e"], Bool[Tensor, " e"]]:
        """Where ``row`` of the lane table stands among the lanes of the scene of lane ``source``, and whether it does.

        A table over the rows that each scene spans: twice as fast as a binary search.
        """
        some = self.ptr.diff() > 0
        low, high = (torch.zeros_like(self.ptr[1:]) for _ in range(2))
        low[some], high[some] = self.row[self.ptr[:-1][some]], self.row[self.ptr[1:][some] - 1] + 1
        first = (high - low).cumsum(0) - high
        table = torch.full((int((high - low).sum()),), -1, dtype=torch.int32)
        table[first[self.scene] + self.row] = torch.arange(len(self.row), dtype=torch.int32)
        scene = self.scene.index_select(0, source)
        inside = (row >= low.index_select(0, scene)) & (row < high.index_select(0, scene))
        found = table[torch.where(inside, first.index_select(0, scene) + row, 0)].long() if len(table) else row
        here = inside & (found >= 0)
        return found, here


def lane_rows(
    pack: ScenePack, rows: Int64[Tensor, " s"], origin: Float64[Tensor, "s 2"], selection: LaneSelection
) -> LaneRows:
    """The lanes of some scenes whose boxes fit the selection, relative to the origins in the axes of the city."""
    view, counts = ragged(pack.lane_ptr, rows)
    row = pack.lane_view.index_select(0, view)
    scene = torch.arange(len(rows)).repeat_interleave(counts)
    corner = pack.anchor.index_select(0, row) - origin.index_select(0, scene)
    keep = _box_fits(corner.repeat(1, 2) + pack.box.index_select(0, row), selection).nonzero()[:, 0]
    row, scene, corner = (values.index_select(0, keep) for values in (row, scene, corner))
    start, counts = pack.point_ptr.index_select(0, row), pack.point_ptr.diff().index_select(0, row)
    width = int(counts.max()) if len(counts) else 2
    places = start[:, None] + torch.minimum(torch.arange(width), counts[:, None] - 1)
    points = pack.points.index_select(0, places.flatten()).view(-1, width, 2) + corner.float()[:, None]
    return LaneRows(row, scene, offsets(scene, len(rows)), points, counts)


def _box_fits(box: Float64[Tensor, "l 4"], selection: LaneSelection) -> Bool[Tensor, " l"]:
    """Whether lanes may be shown, judged by their bounding boxes (x0, y0, x1, y1) relative to the origin."""
    if selection.area is LaneArea.near_agents:
        return torch.ones(len(box), dtype=torch.bool)
    if selection.area is LaneArea.inside_box:
        return box.abs().amax(1) <= selection.radius
    return (box[:, :2].amax(1) <= selection.radius) & (box[:, 2:].amin(1) >= -selection.radius)


def resampled(lanes: LaneRows, count: int) -> LaneRows:
    """Lanes of more than ``count`` points at ``count`` points, evenly spaced by length; shorter ones as they are."""
    points = lanes.points
    if points.shape[1] <= count:
        return lanes
    steps = (points[:, 1:] - points[:, :-1]).norm(dim=-1)
    along = torch.cat([steps.new_zeros(len(steps), 1), steps.cumsum(1)], 1)
    wanted = along[:, -1:] * torch.linspace(0, 1, count, dtype=along.dtype)
    right = torch.searchsorted(along, wanted).clamp(1, along.shape[1] - 1)
    share = (wanted - along.gather(1, right - 1)) / steps.gather(1, right - 1).clamp(min=1e-9)
    ends = [points.gather(1, place[..., None].expand(-1, -1, 2)) for place in (right - 1, right)]
    even = torch.lerp(ends[0], ends[1], share[..., None])
    long = (lanes.counts > count)[:, None, None]
    return replace(lanes, points=torch.where(long, even, points[:, :count]), counts=lanes.counts.clamp(max=count))
