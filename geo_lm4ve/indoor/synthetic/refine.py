"""Triangles cut until they are of about one size, as those of a scan are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int32, Int64

from geo_lm4ve.geometry.solids.mesh import Mesh

TRIALS = 8
"""Lengths of edges that are tried at most; the number of vertices goes by steps, so none fits exactly."""
ENOUGH, AIM = 0.88, 0.95
"""Share of the vertices there may be that will do, and that the next trial aims at."""
PER_AREA = 1.7
"""The first length [m] is so many square roots of the area per vertex."""
GRID = 1e-4
"""Corners that round to one point of this grid [m] are one vertex."""
REACH = 50.0
"""No corner is further from the origin along an axis [m]."""

Refined = tuple[Float64[np.ndarray, "v 3"], Int32[np.ndarray, "g 3"], Int64[np.ndarray, " v"]]


def refine(meshes: Sequence[Mesh], detail: Sequence[float], most: int) -> Refined:
    """Cut all meshes, with edges as short as the number of vertices allows.

    Args:
        meshes: surfaces, within ``REACH``.
        detail: longest edge of each, in units of a length that is chosen here.
        most: vertices there may be, of all meshes together.

    Returns:
        Vertices [m], faces, and the mesh that each vertex belongs to; vertices go mesh by mesh.

    Raises:
        ValueError: the meshes have more vertices before any is cut.
    """
    corners = np.concatenate([mesh.vertices[mesh.faces] for mesh in meshes])
    owner = np.repeat(np.arange(len(meshes)), [len(mesh.faces) for mesh in meshes])
    longest, best = np.asarray(detail, float), _joined(corners, owner)
    if len(best[0]) > most:
        raise ValueError(f"{most} vertices are too few: the surfaces alone have {len(best[0])}")
    density = float((_areas(corners) / longest[owner] ** 2).sum())
    low, high, edge = 0.0, np.inf, PER_AREA * float(np.sqrt(density / most))
    for _ in range(TRIALS):
        trial = _joined(*cut(corners, owner, longest * edge))
        count = len(trial[0])
        low, high = (edge, high) if count > most else (low, edge)
        best = trial if len(best[0]) < count <= most else best
        if ENOUGH * most <= count <= most:
            break
        edge *= float(np.sqrt(count / (AIM * most)))
        edge = edge if low < edge < high else (low + high) / 2
    return best


def _areas(corners: Float64[np.ndarray, "f 3 3"]) -> Float64[np.ndarray, " f"]:
    return np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2


def cut(
    corners: Float64[np.ndarray, "f 3 3"], owner: Int64[np.ndarray, " f"], longest: Float64[np.ndarray, " m"]
) -> tuple[Float64[np.ndarray, "g 3 3"], Int64[np.ndarray, " g"]]:
    """Halve the longest edge of every triangle of mesh m until none is longer than ``longest[m]``."""
    done: list[tuple[np.ndarray, np.ndarray]] = []
    while len(corners):
        edges = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
        start, rows = edges.argmax(1), np.arange(len(corners))
        long = edges[rows, start] > longest[owner]
        done.append((corners[~long], owner[~long]))
        a, b, c = (corners[rows, (start + k) % 3][long] for k in range(3))
        middle, owner = (a + b) / 2, np.tile(owner[long], 2)
        corners = np.concatenate([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)])
    return np.concatenate([part for part, _ in done]), np.concatenate([part for _, part in done])


def _joined(corners: Float64[np.ndarray, "f 3 3"], owner: Int64[np.ndarray, " f"]) -> Refined:
    """Corners of one mesh at one place become one vertex; what has no area then is left out."""
    whole = ((corners.reshape(-1, 3) + REACH) / GRID).round().astype(np.int64)
    side = int(2 * REACH / GRID) + 1
    # One number a corner would need 60 bits and more for the mesh, so the mesh sorts first, by a second key.
    place = (whole[:, 0] * side + whole[:, 1]) * side + whole[:, 2]
    of = np.repeat(owner, 3)
    order = np.lexsort((place, of))
    new = np.append(True, (np.diff(place[order]) != 0) | (np.diff(of[order]) != 0))
    vertex = np.empty(len(order), np.int64)
    vertex[order] = np.cumsum(new) - 1
    faces = vertex.reshape(-1, 3)
    kept = (faces != np.roll(faces, 1, axis=1)).all(1)
    first = order[new]
    return corners.reshape(-1, 3)[first], faces[kept].astype(np.int32), of[first]
