"""Geometric solids of random proportions."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from geo_lm4ve.geometry.solids.mesh import Mesh, box, circle, cylinder, lathe, prism, tube, union


def ball(random: Generator) -> Mesh:
    """A sphere, a little flattened or drawn out."""
    angle = np.linspace(0, np.pi, 17)
    return lathe(np.column_stack([np.sin(angle), -random.uniform(0.8, 1.2) * np.cos(angle)]).tolist())


def block(random: Generator) -> Mesh:
    """A block."""
    return box(*random.uniform(0.5, 1.0, 3))


def capsule(random: Generator) -> Mesh:
    """A cylinder with round ends."""
    angle, half = np.linspace(0, np.pi / 2, 9), random.uniform(0.7, 1.6)
    top = np.column_stack([np.cos(angle), half + np.sin(angle)])
    return lathe([(r, -z) for r, z in top[::-1].tolist()] + top.tolist())


def cone(random: Generator) -> Mesh:
    """A cone on its base."""
    return lathe([(0, 0), (random.uniform(0.3, 0.8), 0), (0, 1)])


def cross(random: Generator) -> Mesh:
    """Three bars through one point, at right angles."""
    thick = random.uniform(0.2, 0.4)
    bars = [box(1, thick, thick), box(thick, 1, thick), box(thick, thick, 1)]
    return union([bar.moved(z=-bar.vertices[:, 2].max() / 2) for bar in bars])


def rod(random: Generator) -> Mesh:
    """A cylinder, from a disc to a rod."""
    return cylinder(1, random.uniform(0.6, 4))


def hexagonal_prism(random: Generator) -> Mesh:
    """A prism over a regular hexagon."""
    return cylinder(1, random.uniform(0.8, 3), segments=6)


def pyramid(random: Generator) -> Mesh:
    """A pyramid over a square."""
    return lathe([(0, 0), (random.uniform(0.6, 1.1), 0), (0, 1)], segments=4)


def star_prism(random: Generator) -> Mesh:
    """A prism over a star of five to seven points."""
    points = int(random.integers(5, 8))
    outline = circle(1, 2 * points)
    outline[1::2] *= random.uniform(0.4, 0.6)
    return prism(outline, random.uniform(0.3, 1.0))


def torus(random: Generator) -> Mesh:
    """A ring with a round section."""
    ring = np.column_stack([circle(1), np.zeros(32)])
    return tube(ring, random.uniform(0.15, 0.4), closed=True, segments=16)


def wedge(random: Generator) -> Mesh:
    """A ramp: a triangle raised sideways."""
    length, height, width = random.uniform(0.8, 1.4), random.uniform(0.4, 0.8), random.uniform(0.5, 1.0)
    triangle = np.array([[-length / 3, -height / 3], [2 * length / 3, -height / 3], [-length / 3, 2 * height / 3]])
    return prism(triangle, width).turned("x", 90)


PRIMITIVES = {
    "ball": ball,
    "block": block,
    "capsule": capsule,
    "cone": cone,
    "cross": cross,
    "cylinder": rod,
    "hexagonal_prism": hexagonal_prism,
    "pyramid": pyramid,
    "star_prism": star_prism,
    "torus": torus,
    "wedge": wedge,
}
