"""Four ways to build the surface of a solid as triangles: box, lathe, band and tube. z is up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SEGMENTS = 32
"""Straight pieces of a full circle."""


@dataclass(frozen=True)
class Mesh:
    """Triangles: vertices (v, 3) and faces (f, 3) of vertex numbers."""

    vertices: np.ndarray
    faces: np.ndarray

    def __add__(self, other: Mesh) -> Mesh:
        """Both surfaces as one; parts inside the other stay."""
        faces = np.concatenate([self.faces, other.faces + len(self.vertices)])
        return Mesh(np.concatenate([self.vertices, other.vertices]), faces)

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Mesh:
        """Shifted."""
        return Mesh(self.vertices + np.array([x, y, z]), self.faces)

    def turned(self, axis: str, degrees: float) -> Mesh:
        """Rotated about a coordinate axis."""
        angle, i = np.deg2rad(degrees), "xyz".index(axis)
        rotation = np.eye(3)
        j, k = (i + 1) % 3, (i + 2) % 3
        rotation[[j, k], [j, k]] = np.cos(angle)
        rotation[k, j], rotation[j, k] = np.sin(angle), -np.sin(angle)
        return Mesh(self.vertices @ rotation.T, self.faces)

    def fitted(self, radius: float) -> Mesh:
        """Centred at the middle of its box and scaled so that the vertex farthest from there is at ``radius``."""
        centred = self.vertices - (self.vertices.min(0) + self.vertices.max(0)) / 2
        return Mesh(radius / np.linalg.norm(centred, axis=1).max() * centred, self.faces)


def union(parts: Sequence[Mesh]) -> Mesh:
    """All surfaces as one."""
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole


def box(x: float, y: float, z: float) -> Mesh:
    """A block of these sizes that stands on z = 0, centred in x and y."""
    corners = np.array([[i, j, k] for i in (-0.5, 0.5) for j in (-0.5, 0.5) for k in (0, 1)]) * (x, y, z)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return Mesh(corners, np.array([face for a, b, c, d in quads for face in ((a, b, c), (a, c, d))]))


def grid_faces(rows: int, columns: int, wrap: bool) -> np.ndarray:
    """Two triangles per cell of a (rows, columns) grid of vertices; ``wrap`` joins the last column to the first."""
    number = np.arange(rows * columns).reshape(rows, columns)
    right = np.roll(number, -1, axis=1)
    cells = slice(None) if wrap else slice(None, -1)
    a, b = number[:-1, cells].ravel(), right[:-1, cells].ravel()
    c, d = right[1:, cells].ravel(), number[1:, cells].ravel()
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def circle(radius: float = 1.0, segments: int = SEGMENTS) -> np.ndarray:
    """Corners (segments, 2) of a regular polygon with this circumradius."""
    angle = np.arange(segments) * 2 * np.pi / segments
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def lathe(profile: Sequence[Sequence[float]], segments: int = SEGMENTS) -> Mesh:
    """The surface that a line of (radius, z) points sweeps about the z axis; end it at radius 0 to close it."""
    outline = np.asarray(profile, dtype=float)
    around = np.broadcast_to(circle(1.0, segments), (len(outline), segments, 2))
    rings = np.concatenate([outline[:, None, :1] * around, np.repeat(outline[:, None, 1:], segments, axis=1)], axis=2)
    return Mesh(rings.reshape(-1, 3), grid_faces(len(outline), segments, wrap=True))


def cylinder(radius: float, height: float, segments: int = SEGMENTS) -> Mesh:
    """A closed cylinder (or regular prism) that stands on z = 0."""
    return lathe([(0, 0), (radius, 0), (radius, height), (0, height)], segments)


def band(inner: np.ndarray, outer: np.ndarray, height: float, closed: bool = True) -> Mesh:
    """The strip between two outlines (p, 2) with as many corners, raised from z = 0 to ``height``.

    ``closed`` joins the last corners to the first; otherwise the two ends get walls.
    """
    low = [np.column_stack([line, np.zeros(len(line))]) for line in (inner, outer)]
    high = [np.column_stack([line, np.full(len(line), height)]) for line in (inner, outer)]
    around = np.stack([low[0], low[1], high[1], high[0], low[0]], axis=1)
    vertices = (np.concatenate([around, around[:1]]) if closed else around).reshape(-1, 3)
    faces = grid_faces(len(vertices) // 5, 5, wrap=False)
    if not closed:
        last = len(vertices) - 5
        faces = np.concatenate([faces, [[i, i + a, i + b] for i in (0, last) for a, b in ((1, 2), (2, 3))]])
    return Mesh(vertices, faces)


def prism(outline: np.ndarray, height: float) -> Mesh:
    """A solid over an outline (p, 2) all of which can be seen from the origin, raised from z = 0."""
    return band(np.zeros_like(outline), outline, height)


def tube(path: np.ndarray, radius: float, closed: bool = False, segments: int = 12) -> Mesh:
    """A round bar along a path (p, 3), with flat ends unless ``closed``."""
    tangents = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    around = circle(radius, segments)
    rings = [centre + around @ frame for centre, frame in zip(path, _frames(tangents))]
    rings = (
        [*rings, rings[0]] if closed else [np.tile(path[0], (segments, 1)), *rings, np.tile(path[-1], (segments, 1))]
    )
    return Mesh(np.concatenate(rings), grid_faces(len(rings), segments, wrap=True))


def _frames(tangents: np.ndarray) -> list[np.ndarray]:
    """Two axes (2, 3) across every tangent, turned as little as possible from one to the next."""
    across = np.eye(3)[np.argmin(np.abs(tangents[0]))]
    frames = []
    for tangent in tangents:
        across = across - tangent * (across @ tangent)
        across /= np.linalg.norm(across)
        frames.append(np.stack([across, np.cross(tangent, across)]))
    return frames
