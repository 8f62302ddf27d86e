"""What a scanner would make of a room: triangles of about one size, colours, segments, and a frame of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64, UInt8
from numpy.random import Generator

from geo_lm4ve.geometry.solids.mesh import Mesh
from geo_lm4ve.indoor.synthetic.palette import COLORS, SHELL, painted
from geo_lm4ve.indoor.synthetic.plan import Plan
from geo_lm4ve.indoor.synthetic.refine import refine

NOISE = 0.003
"""Standard deviation of every coordinate [m]."""
SEGMENT = 0.6
"""Side of the cubes that cut a surface into segments [m]."""
COARSE = 1.8
"""Triangles of walls and floor are so much longer than those of furniture."""
FINE = 0.45
"""Those of the smallest things are so much shorter."""


@dataclass(frozen=True)
class Scan:
    """One scan in the frame of the scanner.

    Attributes:
        vertices: (V, 3) [m].
        colors: (V, 3) red, green, blue.
        faces: (F, 3) rows of vertices.
        segments: (V,) segment of each; several make an object.
        objects: (V,) object of each.
        labels: raw category of each object.
        rows: row in the plan of each object; -1 for walls and floor.
        alignment: (4, 4) takes the vertices to the frame of the walls.
    """

    vertices: Float32[np.ndarray, "v 3"]
    colors: UInt8[np.ndarray, "v 3"]
    faces: Int32[np.ndarray, "f 3"]
    segments: Int64[np.ndarray, " v"]
    objects: Int64[np.ndarray, " v"]
    labels: tuple[str, ...]
    rows: tuple[int, ...]
    alignment: Float64[np.ndarray, "4 4"]

    @property
    def center(self) -> Float64[np.ndarray, " 3"]:
        """Of the box of all vertices [m]."""
        return (self.vertices.astype(np.float64).min(0) + self.vertices.max(0)) / 2


def scan(plan: Plan, vertices: int, random: Generator) -> Scan:
    """Scan a room.

    Args:
        plan: the room.
        vertices: at most so many, and not many fewer.
        random: of the order of the objects, colours, noise, and the frame.
    """
    labels = [*["wall"] * 4, "floor", *(thing.name for thing in plan.things)]
    meshes = [*shell(plan.size), *(thing.mesh for thing in plan.things)]
    order = random.permutation(len(meshes)).tolist()
    points, faces, owner = refine([meshes[k] for k in order], [_detail(labels[k], meshes[k]) for k in order], vertices)
    counts = np.bincount(owner, minlength=len(order)).tolist()
    colors = [painted(_color(plan, labels[k], k - 5, random), n, random) for k, n in zip(order, counts)]
    alignment = _frame(random)
    noisy = points + NOISE * random.standard_normal(points.shape)
    raw = (noisy - alignment[:3, 3]) @ alignment[:3, :3]  # the inverse of a rotation is its transpose
    return Scan(
        raw.astype(np.float32), np.concatenate(colors).round().astype(np.uint8), faces, _segments(points, owner), owner,
        tuple(labels[k] for k in order), tuple(max(k - 5, -1) for k in order), alignment,
    )  # fmt: skip


def shell(size: tuple[float, float, float]) -> list[Mesh]:
    """Four walls, which face the room, and the floor."""
    (x, y), z = np.array(size[:2]) / 2, size[2]
    corners = [(-x, -y), (x, -y), (x, y), (-x, y)]
    walls = [_sheet((*a, 0), (*a, z), (*b, z), (*b, 0)) for a, b in zip(corners, corners[1:] + corners[:1])]
    return [*walls, _sheet(*((*corner, 0) for corner in corners))]


def _sheet(*corners: Sequence[float]) -> Mesh:
    return Mesh(np.array(corners, float), np.array([[0, 1, 2], [0, 2, 3]]))


def _detail(label: str, mesh: Mesh) -> float:
    """Length of triangles in units of those of furniture."""
    size = float(np.linalg.norm(np.ptp(mesh.vertices, axis=0)))
    return COARSE if label in SHELL else float(np.clip(size / 1.5, FINE, 1))


def _color(plan: Plan, label: str, row: int, random: Generator) -> tuple[int, int, int]:
    return COLORS[plan.things[row].color] if row >= 0 else SHELL[label][int(random.integers(len(SHELL[label])))]


def _frame(random: Generator) -> Float64[np.ndarray, "4 4"]:
    """Takes the frame of the scanner, turned about z and shifted, to that of the walls."""
    angle, alignment = random.uniform(-np.pi, np.pi), np.eye(4)
    alignment[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    alignment[:3, 3] = random.uniform(-4, 4), random.uniform(-4, 4), random.uniform(-0.2, 0.2)
    return alignment.round(6)  # as the file has it


def _segments(points: Float64[np.ndarray, "v 3"], owner: Int64[np.ndarray, " v"]) -> Int64[np.ndarray, " v"]:
    """Cut every object by cubes; a segment is called by its first vertex, so that numbers have gaps."""
    cells = np.floor((points - points.min(0)) / SEGMENT).astype(np.int64)
    sides = cells.max(0) + 1
    key = ((owner * sides[0] + cells[:, 0]) * sides[1] + cells[:, 1]) * sides[2] + cells[:, 2]
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return first[inverse]
