"""Normals of a mesh's vertices as ScanQA's preparation makes them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int32

_SMALL = 1e-8
"""Added to lengths (ScanQA ``data/scannet/scannet_utils.py``)."""


def vertex_normals(points: Float32[np.ndarray, "v 3"], faces: Int32[np.ndarray, "f 3"]) -> Float32[np.ndarray, "v 3"]:
    """Unit normals, 0 at vertices without a face.

    Triangles count alike, whatever their area. Of those that have a vertex as their first corner the last in the file
    counts alone, likewise of those that have it as second and as third: ScanQA adds them by ``normals[corners] += n``,
    which keeps one of several. Networks that were trained on its files have seen these.
    """
    first, second, third = (points[corner] for corner in faces.T)
    flat = _unit(np.cross(second - first, third - first))
    normals = np.zeros_like(points)
    for corner in faces.T:
        normals[corner] = normals[corner] + flat
    return _unit(normals)


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.sqrt((vectors**2).sum(1, keepdims=True))
    unit: np.ndarray = (vectors / (lengths + np.float32(_SMALL))).astype(np.float32)
    return unit
