"""What is drawn of a scan: some of its points, with colours, normals and how far they lie apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int32, UInt8
from scipy.spatial import cKDTree

from geo_lm4ve.indoor.room import Room
from geo_lm4ve.viz import projection

FRONT = 0.1
"""Cosine between the normal of a point and the direction to the viewer from which on it is seen: what is seen from
behind is not drawn, so that walls in front do not hide a room, nor what is seen edge-on, which would fray edges."""
_NEIGHBOUR, _COVER = 4, 1.3
"""Dots of so many times the distance to this neighbour leave few holes in a surface that points are strewn over."""


@dataclass(frozen=True)
class Cloud:
    """Points of a scan.

    Attributes:
        points: (M, 3) [m].
        colors: (M, 3) red, green, blue.
        normals: (M, 3) in the frame of the points, of length 1, or 0 where there is none.
        spacing: (M,) how wide a dot must be to close up with its neighbours [m].
    """

    points: Float32[np.ndarray, "m 3"]
    colors: UInt8[np.ndarray, "m 3"]
    normals: Float32[np.ndarray, "m 3"]
    spacing: Float[np.ndarray, " m"]

    def facing(self, towards: Float[np.ndarray, " 3"]) -> Bool[np.ndarray, " m"]:
        """True for points that a viewer in a direction sees from their front, or that have no normal."""
        return (self.normals @ towards.astype(np.float32) >= FRONT) | ~self.normals.any(1)

    def lit(self, towards: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "m 3"]:
        """Colours in [0, 1], darker where a surface turns away from the viewer."""
        light = 0.72 + 0.28 * np.abs(self.normals @ towards.astype(np.float32))
        light[~self.normals.any(1)] = 1.0
        return self.colors / 255 * light[:, None]


def cloud_of(room: Room, limit: int) -> Cloud:
    """At most ``limit`` points of a scan, at even steps through it (no randomness).

    Raises:
        ValueError: it has no points, or one that is not finite.
    """
    if not len(room):
        raise ValueError(f"scan {room.name!r} has no points to draw")
    if bad := int((~np.isfinite(room.points)).any(1).sum()):
        raise ValueError(f"{bad} of {len(room)} points of scan {room.name!r} are not finite; prepare it again")
    kept = projection.thin(np.arange(len(room)), limit)
    points, colors, normals, instances = (
        part[kept] for part in (room.points, room.colors, room.normals, room.instances)
    )
    turned = normals @ room.alignment[:3, :3].T.astype(np.float32)
    return Cloud(points, colors, turned, _spacing(points, instances))


def _spacing(points: Float32[np.ndarray, "m 3"], instances: Int32[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Within each object, and in what belongs to none: what stands on a floor does not make the floor's dots small."""
    spacing = np.zeros(len(points))
    for row in np.unique(instances):
        own = points[mine := instances == row]
        spacing[mine] = cKDTree(own).query(own, k=[min(_NEIGHBOUR + 1, len(own))])[0][:, 0]
    return np.clip(_COVER * spacing, 0.01, 0.5)
