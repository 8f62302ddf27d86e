"""A prepared scan: its points with what they carry, its objects, and how its frame lies in the raw one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64, UInt8


@dataclass(frozen=True)
class Room:
    """One scan in memory, on the host.

    Attributes:
        name: of the scan, e.g. ``scene0000_00``.
        points: (N, 3) [m], axis aligned, z up.
        colors: (N, 3) red, green, blue.
        normals: (N, 3) of the mesh in the raw frame (the axis alignment does not turn them), of length 1 or 0.
        instances: (N,) row of the object that each point belongs to; -1 for none (walls, floor, what has no label).
        boxes: (K, 6) centre and size [m] of each object in the frame of the points.
        classes: (K,) label of each (``objects.CLASSES``).
        nyu40: (K,) NYU40 class of each.
        ids: (K,) ScanNet's ``objectId`` of each.
        labels: K names, as the annotators wrote them.
        alignment: (4, 4) takes raw coordinates to those of the points.
        raw_center: (3,) centre of the bounding box of all raw vertices: SQA3D's positions are offsets from it.
        multiview: (N, 128) image features projected onto the points; None where nobody made them.
    """

    name: str
    points: Float32[np.ndarray, "n 3"]
    colors: UInt8[np.ndarray, "n 3"]
    normals: Float32[np.ndarray, "n 3"]
    instances: Int32[np.ndarray, " n"]
    boxes: Float32[np.ndarray, "k 6"]
    classes: Int64[np.ndarray, " k"]
    nyu40: Int64[np.ndarray, " k"]
    ids: Int64[np.ndarray, " k"]
    labels: tuple[str, ...]
    alignment: Float64[np.ndarray, "4 4"]
    raw_center: Float64[np.ndarray, " 3"]
    multiview: Float32[np.ndarray, "n 128"] | None = None

    def __len__(self) -> int:
        """Number of points N."""
        return len(self.points)
