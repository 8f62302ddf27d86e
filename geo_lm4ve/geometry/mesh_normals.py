"""Normals of triangle meshes: of faces, and of their corners where a surface is meant to be round."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from geo_lm4ve.geometry.solids.mesh import Mesh


def face_normals(mesh: Mesh) -> Float[np.ndarray, "f 3"]:
    """Unit normals by the winding; zero for a triangle without area."""
    origin, first, second = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return _unit(np.cross(first - origin, second - origin))


def corner_normals(mesh: Mesh, crease: float) -> Float[np.ndarray, "f 3 3"]:
    """Unit normals at the three corners of every face.

    Each is the mean of the faces round that vertex which are turned against its own by less than ``crease`` degrees,
    so that a round surface looks round and an edge stays an edge; 0 leaves every face flat.
    """
    flat = face_normals(mesh)
    one, other = _around(mesh.faces.ravel())
    like = np.einsum("nk,nk->n", flat[one // 3], flat[other // 3]) > np.cos(np.deg2rad(crease))
    one, other = one[like], other[like] // 3
    total = np.stack([np.bincount(one, axis[other], minlength=mesh.faces.size) for axis in flat.T], 1)
    total = total.reshape(-1, 3, 3)
    return np.where(total.any(2, keepdims=True), _unit(total), flat[:, None])


def _around(vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of corners that share a vertex, each also with itself."""
    order = np.argsort(vertices, kind="stable")
    counts = np.bincount(vertices)
    start, size = (counts.cumsum() - counts)[vertices[order]], counts[vertices[order]]
    within = np.arange(size.sum()) - np.repeat(size.cumsum() - size, size)
    return np.repeat(order, size), order[np.repeat(start, size) + within]


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.einsum("...k,...k->...", vectors, vectors))[..., None]
    return vectors / np.where(length > 0, length, 1)
