"""Points spread uniformly over the surface of a triangle mesh."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class SurfaceSample(NamedTuple):
    """Points on a mesh.

    Attributes:
        points: their coordinates.
        normals: unit normals of their faces, by the winding.
        faces: the face that each lies on.
        weights: of its corners: a point is their weighted mean.
    """

    points: Float[np.ndarray, "n 3"]
    normals: Float[np.ndarray, "n 3"]
    faces: Int[np.ndarray, " n"]
    weights: Float[np.ndarray, "n 3"]


def sample_surface(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], count: int, random: np.random.Generator
) -> SurfaceSample:
    """``count`` points uniform over the surface.

    Raises:
        ValueError: the mesh has no surface, or coordinates that are not finite.
    """
    origin, first, second = (vertices[faces[:, corner]].astype(np.float64) for corner in range(3))
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused
        first, second = first - origin, second - origin
        normals = np.cross(first, second)
        areas = np.linalg.norm(normals, axis=1)
        total = areas.cumsum()
    if not len(faces) or not np.isfinite(total[-1]) or total[-1] <= 0:
        raise ValueError(f"a surface to sample needs a finite area above 0; there are {len(faces)} faces")
    chosen = np.minimum(np.searchsorted(total, random.random(count) * total[-1], side="right"), len(faces) - 1)
    u, v = random.random((2, count, 1))
    # Points of the parallelogram beyond its diagonal are mirrored back into the triangle.
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    points = origin[chosen] + u * first[chosen] + v * second[chosen]
    weights = np.concatenate([1 - u - v, u, v], axis=1)
    return SurfaceSample(points, normals[chosen] / areas[chosen, None], chosen, weights)
