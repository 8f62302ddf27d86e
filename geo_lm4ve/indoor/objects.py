"""The objects of scans as ground truth: boxes, classes, and which points belong to which."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

CLASSES = (
    "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf", "picture", "counter", "desk", "curtain",
    "refrigerator", "shower curtain", "toilet", "sink", "bathtub", "others",
)  # fmt: skip
"""ScanNet's 18 classes of detection, by label; the last stands for every other object (ScanRefer, ScanQA)."""

OTHERS = len(CLASSES) - 1


@dataclass(frozen=True)
class RoomObjects:
    """Objects of S scans, padded to K.

    Attributes:
        boxes: (S, K, 6) centre and size [m], axis aligned, in the frame of the points.
        classes: (S, K) label of each (``CLASSES``); 0 in padding.
        ids: (S, K) ScanNet's ``objectId`` of each; -1 in padding.
        valid: (S, K) False in padding.
        instances: (S, N) row (of K) of the object that each point belongs to; -1 where it belongs to none.
    """

    boxes: Float[Tensor, "s k 6"]
    classes: Int64[Tensor, "s k"]
    ids: Int64[Tensor, "s k"]
    valid: Bool[Tensor, "s k"]
    instances: Int64[Tensor, "s n"]

    def to(self, device: torch.device | str) -> RoomObjects:
        """The same objects on another device."""
        return RoomObjects(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})
