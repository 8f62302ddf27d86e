"""One room as a batch shows it: so many of its points, with features, moved if it is for training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from geo_lm4ve.indoor.augment import RoomAugment, RoomMotion
from geo_lm4ve.indoor.features import KINDS, MEAN_COLOR
from geo_lm4ve.indoor.room import Room

_LOW = 0.99
"""Percentile of z that heights are counted from; ScanQA writes 0.99, which is not the 99th."""


@dataclass(frozen=True)
class RoomRecipe:
    """How rooms are shown.

    Attributes:
        points: of every room; one that has fewer shows some of them again.
        features: kinds (``features.KINDS``), in their order.
        augment: what is random in training.
    """

    points: int
    features: tuple[str, ...]
    augment: RoomAugment

    def show(self, room: Room, random: torch.Generator | None) -> Shown:
        """A room for training, by random numbers; for evaluation, without: its first points as they are stored."""
        count, places = len(room), torch.arange(self.points) % len(room)
        if random is None:
            return Shown.of(room, places, self.features, None)
        order = torch.randperm(count, generator=random)
        return Shown.of(room, order[places], self.features, self.augment.draw(random))


@dataclass(frozen=True)
class Shown:
    """Part of a room.

    Attributes:
        room: it is of.
        points: (N, 3) [m].
        features: (N, C); C may be 0.
        boxes: (K, 6) of its objects, in the frame of the points.
        instances: (N,) row of the object that each point belongs to; -1 for none.
        motion: how it was moved; None: not at all.
    """

    room: Room
    points: Float[Tensor, "n 3"]
    features: Float[Tensor, "n c"]
    boxes: Float[Tensor, "k 6"]
    instances: Int64[Tensor, " n"]
    motion: RoomMotion | None

    @classmethod
    def of(cls, room: Room, chosen: Int64[Tensor, " n"], kinds: tuple[str, ...], motion: RoomMotion | None) -> Shown:
        """Some points of a room with these features, moved."""
        rows = chosen.numpy()
        points, boxes = torch.from_numpy(room.points[rows]), torch.from_numpy(room.boxes.copy())
        if motion is not None:
            points, boxes = motion.points(points), motion.boxes(boxes)
        columns = [features_of(room, kind, rows) for kind in kinds]
        features = np.concatenate([np.empty((len(rows), 0), np.float32), *columns], 1)
        instances = torch.from_numpy(room.instances[rows].astype(np.int64))
        return cls(room, points, torch.from_numpy(features), boxes, instances, motion)

    def poses(self, poses: Float[Tensor, "b 7"]) -> Float[Tensor, "b 7"]:
        """Poses in the room's own frame, in that of the points."""
        return poses if self.motion is None else self.motion.poses(poses)


def features_of(room: Room, kind: str, rows: np.ndarray) -> Float[np.ndarray, "n c"]:
    """One kind of feature (``features.KINDS``) of some points; ValueError where the room was made without it."""
    if kind == "color":
        colors: np.ndarray = (room.colors[rows] - np.array(MEAN_COLOR, np.float32)) / np.float32(256)
        return colors
    if kind == "normal":
        return room.normals[rows]
    if kind == "height":
        low = np.float32(np.percentile(room.points[:, 2], _LOW))
        return (room.points[rows, 2] - low)[:, None]
    if kind != "multiview" or room.multiview is None:
        raise ValueError(
            f"{room.name} has no {kind}; there are {', '.join(KINDS)}, multiview where it was prepared with it"
        )
    return room.multiview[rows]
