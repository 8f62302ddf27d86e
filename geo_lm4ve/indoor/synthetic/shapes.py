"""Furniture out of boxes, lathes and tubes, in metres: it stands on z = 0 and has its back towards +y."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from geo_lm4ve.geometry.solids import household
from geo_lm4ve.geometry.solids.mesh import Mesh, band, box, circle, cylinder, lathe, tube, union


def scaled(mesh: Mesh, x: float, y: float, z: float) -> Mesh:
    """Stretched along the axes."""
    return Mesh(mesh.vertices * (x, y, z), mesh.faces)


def legs(x: float, y: float, height: float, thick: float = 0.05) -> Mesh:
    """Four legs under the corners of a (x, y) plate."""
    i, j = (x - thick) / 2, (y - thick) / 2
    return union([box(thick, thick, height).moved(a, b) for a in (-i, i) for b in (-j, j)])


def dining_chair(random: Generator) -> Mesh:
    """A seat on four legs, with a back and no arms."""
    width, depth, seat = random.uniform(0.4, 0.48), random.uniform(0.4, 0.48), random.uniform(0.42, 0.48)
    back = box(width, 0.05, random.uniform(0.42, 0.55)).moved(y=depth / 2 - 0.025, z=seat)
    return union([legs(width, depth, seat), box(width, depth, 0.05).moved(z=seat), back])


def office_chair(random: Generator) -> Mesh:
    """A seat on a column over five feet, with a back that stands off."""
    seat, width = random.uniform(0.44, 0.52), random.uniform(0.46, 0.52)
    feet = [tube(np.array([[0, 0, 0.08], [*foot, 0.04]]), 0.03, segments=6) for foot in circle(0.3, 5)]
    column = cylinder(0.035, seat, segments=8)
    back = box(width - 0.06, 0.05, 0.5).moved(y=width / 2, z=seat + 0.12)
    return union([*feet, column, box(width, width, 0.08).moved(z=seat), back])


def armchair(random: Generator) -> Mesh:
    """A low wide seat down to the floor, between thick arms."""
    width, depth, seat = random.uniform(0.7, 0.8), random.uniform(0.66, 0.76), random.uniform(0.36, 0.42)
    arms = [box(0.14, depth, seat + 0.2).moved(x=side * (width - 0.14) / 2) for side in (-1, 1)]
    back = box(width, 0.16, seat + random.uniform(0.38, 0.48)).moved(y=depth / 2 - 0.08)
    return union([box(width - 0.28, depth, seat), *arms, back])


def round_table(random: Generator) -> Mesh:
    """A round plate on a column and a foot."""
    radius, height = random.uniform(0.42, 0.58), random.uniform(0.68, 0.76)
    foot = cylinder(0.5 * radius, 0.04)
    return union([foot, cylinder(0.06, height, segments=10), cylinder(radius, 0.05).moved(z=height)])


def _plate(x: float, y: float, height: float) -> Mesh:
    return legs(x, y, height, 0.07) + box(x, y, 0.05).moved(z=height)


def square_table(random: Generator) -> Mesh:
    """A square plate on four legs."""
    side = random.uniform(0.75, 0.95)
    return _plate(side, side, random.uniform(0.66, 0.76))


def rectangular_table(random: Generator) -> Mesh:
    """A plate at least 1.7 times as long as wide, on four legs."""
    width = random.uniform(0.65, 0.8)
    return _plate(width * random.uniform(1.7, 2.0), width, random.uniform(0.66, 0.76))


def desk(random: Generator) -> Mesh:
    """A plate on a block of drawers and a side wall, with a back."""
    x, y, height = random.uniform(1.2, 1.5), random.uniform(0.6, 0.7), random.uniform(0.7, 0.76)
    drawers = [box(0.38, 0.03, 0.18).moved(0.5 * x - 0.22, -0.5 * y, 0.1 + 0.22 * row) for row in range(3)]
    block = box(0.4, y - 0.05, height).moved(x=0.5 * x - 0.22)
    wall = box(0.04, y - 0.05, height).moved(x=-0.5 * x + 0.05)
    back = box(x - 0.1, 0.02, 0.5 * height).moved(y=0.5 * y - 0.08, z=0.5 * height)
    return union([block, wall, back, *drawers, box(x, y, 0.04).moved(z=height)])


def bed(random: Generator) -> Mesh:
    """A bed with its headboard at the back."""
    return scaled(household.bed(random).turned("z", -90), random.uniform(1.7, 1.9), 1.95, random.uniform(1.5, 1.7))


def sofa(random: Generator) -> Mesh:
    """Two or three cushions between arms, with a back."""
    seats, depth, seat = int(random.integers(2, 4)), random.uniform(0.8, 0.92), random.uniform(0.38, 0.44)
    width = 0.6 * seats
    cushions = [box(0.56, 0.6, 0.14).moved(0.6 * (row - (seats - 1) / 2), -0.1, seat - 0.1) for row in range(seats)]
    arms = [box(0.18, depth, seat + 0.2).moved(x=side * (width + 0.18) / 2) for side in (-1, 1)]
    back = box(width + 0.36, 0.2, seat + 0.4).moved(y=depth / 2 - 0.1)
    return union([box(width, depth - 0.06, seat - 0.1), *cushions, *arms, back])


def cabinet(random: Generator) -> Mesh:
    """A chest with two doors and knobs, on a base."""
    x, y, z = random.uniform(0.8, 1.2), random.uniform(0.4, 0.5), random.uniform(0.8, 1.0)
    doors = [box(0.46 * x, 0.03, 0.8 * z).moved(side * 0.24 * x, -y / 2 - 0.01, 0.12 * z) for side in (-1, 1)]
    knobs = [box(0.04, 0.04, 0.04).moved(side * 0.05, -y / 2 - 0.04, 0.6 * z) for side in (-1, 1)]
    return union([box(x, y, 0.95 * z), *doors, *knobs, box(x + 0.04, y + 0.02, 0.05 * z).moved(z=0.95 * z)])


def bookshelf(random: Generator) -> Mesh:
    """Shelves between two sides, with a back."""
    shelf = household.bookshelf(random)
    return scaled(shelf, random.uniform(1.1, 1.4), random.uniform(1.1, 1.3), random.uniform(1.7, 2.0))


def counter(random: Generator) -> Mesh:
    """A long block under a plate that juts out, with a raised edge along the wall."""
    x, y, z = random.uniform(1.6, 2.1), random.uniform(0.58, 0.66), random.uniform(0.86, 0.94)
    fronts = [box(x / 4 - 0.05, 0.02, 0.7 * z).moved((row - 1.5) * x / 4, 0.04 - y / 2, 0.12) for row in range(4)]
    return union([box(x - 0.04, y - 0.1, z), *fronts, box(x, y, 0.05).moved(z=z)])


def refrigerator(random: Generator) -> Mesh:
    """A tall block with two doors and their handles."""
    x, y, z = random.uniform(0.62, 0.78), random.uniform(0.62, 0.72), random.uniform(1.65, 1.85)
    doors = [
        box(x - 0.02, 0.05, part * z).moved(y=-y / 2 - 0.02, z=low * z) for low, part in ((0.02, 0.6), (0.65, 0.33))
    ]
    handles = [box(0.03, 0.06, 0.3).moved(0.4 * x, -y / 2 - 0.06, low * z) for low in (0.4, 0.68)]
    return union([box(x, y, z), *doors, *handles])


def toilet(random: Generator) -> Mesh:
    """A bowl on a foot, in front of a tank."""
    height = random.uniform(0.38, 0.43)
    bowl = lathe(
        [
            (0.0, 0),
            (0.12, 0),
            (0.13, 0.4 * height),
            (0.2, height),
            (0.15, height),
            (0.1, 0.6 * height),
            (0, 0.6 * height),
        ]
    )
    tank = box(0.42, 0.18, random.uniform(0.34, 0.42)).moved(y=0.34, z=height)
    return union([scaled(bowl, 1, 1.25, 1), tank, box(0.2, 0.3, height).moved(y=0.25)])


def sink(random: Generator) -> Mesh:
    """A basin on a column, with a tap."""
    height, radius = random.uniform(0.78, 0.88), random.uniform(0.24, 0.3)
    basin = lathe(
        [(0.05, height - 0.16), (radius, height), (radius - 0.04, height), (0.05, height - 0.12), (0, height - 0.12)]
    )
    tap = tube(
        np.array([[0, radius, height], [0, radius, height + 0.2], [0, radius - 0.14, height + 0.2]]), 0.02, segments=6
    )
    return union([cylinder(0.09, height - 0.12, segments=12), scaled(basin, 1.1, 1, 1), tap])


def bathtub(random: Generator) -> Mesh:
    """A long trough."""
    x, y, z = random.uniform(1.5, 1.7), random.uniform(0.7, 0.8), random.uniform(0.5, 0.58)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    outer, inner = corners * (x, y), corners * (x - 0.16, y - 0.16)
    return band(inner, outer, z) + box(x - 0.16, y - 0.16, 0.02).moved(z=0.14)
