"""Things that hang on walls, stand on furniture or lie about, in metres, as in ``shapes.py``."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from geo_lm4ve.geometry.solids import household
from geo_lm4ve.geometry.solids.mesh import Mesh, box, grid_faces, lathe, tube, union
from geo_lm4ve.indoor.synthetic.shapes import scaled


def _frame(x: float, z: float, thick: float, depth: float) -> Mesh:
    """Four bars round a (x, z) opening."""
    posts = [box(thick, depth, z).moved(x=side * (x - thick) / 2) for side in (-1, 1)]
    return union([*posts, box(x, depth, thick), box(x, depth, thick).moved(z=z - thick)])


def door(random: Generator) -> Mesh:
    """A leaf in a frame, with a handle."""
    x, z = random.uniform(0.85, 1.0), random.uniform(1.98, 2.1)
    handle = box(0.12, 0.05, 0.03).moved(0.34 * x, -0.06, 1.0)
    return union([_frame(x + 0.12, z + 0.06, 0.06, 0.08), box(x, 0.03, z), handle])


def window(random: Generator) -> Mesh:
    """A pane in a frame with a cross, and a sill."""
    x, z = random.uniform(0.9, 1.4), random.uniform(0.9, 1.15)
    cross = [box(0.05, 0.05, z), box(x, 0.05, 0.05).moved(z=0.5 * z)]
    return union([_frame(x, z, 0.07, 0.08), *cross, box(x, 0.01, z).moved(y=0.02), box(x + 0.1, 0.14, 0.04)])


def picture(random: Generator) -> Mesh:
    """A canvas in a thin frame."""
    x, z = random.uniform(0.4, 0.8), random.uniform(0.35, 0.6)
    return _frame(x, z, 0.04, 0.05) + box(x, 0.02, z)


def curtain(random: Generator) -> Mesh:
    """A pleated sheet under a rod."""
    x, z, pleats = random.uniform(0.8, 1.3), random.uniform(1.7, 2.0), int(random.integers(4, 8))
    along = np.linspace(-0.5, 0.5, 6 * pleats + 1)
    line = np.column_stack([x * along, 0.05 * np.sin(2 * np.pi * pleats * along)])
    sheet = np.concatenate([np.column_stack([line, np.full(len(line), level)]) for level in (0, z)])
    rod = tube(np.array([[-0.55 * x, 0, z], [0.55 * x, 0, z]]), 0.02, segments=6)
    return Mesh(sheet, grid_faces(2, len(line), wrap=False)) + rod


def lamp(random: Generator) -> Mesh:
    """A table lamp."""
    size = random.uniform(0.42, 0.55)
    return scaled(household.lamp(random), 0.8 * size, 0.8 * size, size)


def vase(random: Generator) -> Mesh:
    """A bellied vessel with a narrow neck, open at the top."""
    z, belly, neck = random.uniform(0.3, 0.42), random.uniform(0.09, 0.13), random.uniform(0.03, 0.045)
    outline = [(0.06, 0), (belly, 0.35 * z), (0.9 * belly, 0.55 * z), (neck, 0.8 * z), (1.6 * neck, z)]
    return lathe([(0, 0), *outline], segments=16)


def television(random: Generator) -> Mesh:
    """A thin screen on a foot."""
    x = random.uniform(0.44, 0.54)
    screen = box(x, 0.04, 0.6 * x).moved(z=0.1)
    return union([box(0.4 * x, 0.18, 0.02), box(0.06, 0.04, 0.12), screen])


def bag(random: Generator) -> Mesh:
    """A sack that narrows upwards, with a handle."""
    x, y, z = random.uniform(0.3, 0.4), random.uniform(0.16, 0.22), random.uniform(0.22, 0.3)
    body = box(x, y, z)
    tapered = Mesh(body.vertices * np.where(body.vertices[:, 2:] > 0, (0.8, 0.4, 1), (1, 1, 1)), body.faces)
    angle = np.linspace(0, np.pi, 9)
    handle = np.column_stack([0.1 * np.cos(angle), np.zeros(9), z + 0.12 * np.sin(angle)])
    return tapered + tube(handle, 0.012, segments=6)


def carton(random: Generator) -> Mesh:
    """A closed box."""
    return box(random.uniform(0.3, 0.45), random.uniform(0.3, 0.45), random.uniform(0.25, 0.4))


def trash_can(random: Generator) -> Mesh:
    """An open round bin that widens upwards, with a rim."""
    low, high, z = random.uniform(0.11, 0.14), random.uniform(0.16, 0.19), random.uniform(0.35, 0.5)
    rim = [(high, z - 0.04), (high + 0.02, z - 0.04), (high + 0.02, z), (high - 0.01, z)]
    return lathe([(0, 0), (low, 0), *rim, (low - 0.01, 0.02), (0, 0.02)], segments=16)
