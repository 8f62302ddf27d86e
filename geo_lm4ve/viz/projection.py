"""Orthographic views of point clouds: z is up, the nearest point is drawn last."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Shaped

AZIMUTH, ELEVATION = -55.0, 25.0
"""Default camera in degrees: to the front right of the object, looking slightly down."""


def view(
    points: Float[np.ndarray, "n 3"], azimuth: float = AZIMUTH, elevation: float = ELEVATION
) -> Float[np.ndarray, "n 3"]:
    """Camera coordinates (right, up, towards the viewer) of points under an orthographic camera.

    The camera stands in direction (cos az cos el, sin az cos el, sin el) and keeps the z axis upright.

    Args:
        points: (N, 3) positions in any unit.
        azimuth: degrees, counter-clockwise from the x axis seen from above.
        elevation: degrees above the xy plane.
    """
    az, el = np.radians([azimuth, elevation])
    right = [-np.sin(az), np.cos(az), 0.0]
    up = [-np.cos(az) * np.sin(el), -np.sin(az) * np.sin(el), np.cos(el)]
    towards = [np.cos(az) * np.cos(el), np.sin(az) * np.cos(el), np.sin(el)]
    return points @ np.array([right, up, towards], dtype=points.dtype).T


def fit(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """Points moved and scaled into the unit ball round the centre of their bounding box.

    Raises:
        ValueError: no point at all, or a coordinate that is not finite.
    """
    if not len(points):
        raise ValueError("a point cloud without points cannot be drawn")
    if not np.isfinite(points).all():
        bad = int((~np.isfinite(points)).any(axis=1).sum())
        raise ValueError(f"{bad} of {len(points)} points have a coordinate that is not finite; remove them first")
    centred = points - (points.min(axis=0) + points.max(axis=0)) / 2
    radius = np.linalg.norm(centred, axis=1).max()
    return centred / radius if radius > 0 else centred


def thin(points: Shaped[np.ndarray, "n ..."], limit: int) -> Shaped[np.ndarray, "m ..."]:
    """At most ``limit`` rows (points, or what belongs to them), at even steps through the array (no randomness)."""
    if len(points) <= limit:
        return points
    return points[np.linspace(0, len(points) - 1, limit).round().astype(int)]


def hidden(seen: Float[np.ndarray, "n 3"], tolerance: float = 0.2) -> Bool[np.ndarray, " n"]:
    """True for points that a surface in front of them would cover, if the cloud were a surface.

    The picture is cut into square cells of about four points each; what lies ``tolerance`` behind the nearest point of
    its cell counts as covered.

    Args:
        seen: (N, 3) camera coordinates from ``view`` of a cloud in the unit ball.
        tolerance: distance along the view in units of the ball's radius.
    """
    cells = max(int(np.sqrt(len(seen) / 4)), 1)
    column, row = np.clip(((seen[:, :2] + 1) / 2 * cells).astype(int), 0, cells - 1).T
    front = np.full((cells, cells), -np.inf)
    np.maximum.at(front, (row, column), seen[:, 2])
    return seen[:, 2] < front[row, column] - tolerance
