"""Things of a house, of random proportions."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from geo_lm4ve.geometry.solids.mesh import Mesh, band, box, circle, cylinder, lathe, tube, union


def _legs(x: float, y: float, height: float, thick: float) -> Mesh:
    """Four square legs under the corners of a (x, y) plate."""
    i, j = (x - thick) / 2, (y - thick) / 2
    return union([box(thick, thick, height).moved(a, b) for a in (-i, i) for b in (-j, j)])


def arch(random: Generator) -> Mesh:
    """A half ring on two posts."""
    angle, thick = np.linspace(0, np.pi, 17), random.uniform(0.25, 0.5)
    half = np.column_stack([np.cos(angle), np.sin(angle)])
    post = np.array([[0, random.uniform(0.3, 1.2)]])
    inner = np.concatenate([half[:1] - post, half, half[-1:] - post])
    outer = np.concatenate([(1 + thick) * half[:1] - post, (1 + thick) * half, (1 + thick) * half[-1:] - post])
    return band(inner, outer, random.uniform(0.3, 0.8), closed=False).turned("x", 90)


def bed(random: Generator) -> Mesh:
    """A mattress on legs, a headboard and one or two pillows."""
    width, leg = random.uniform(0.5, 1.0), random.uniform(0.08, 0.2)
    parts = [_legs(1.0, width, leg, 0.07).moved(), box(1.0, width, 0.2).moved(z=leg)]
    parts.append(box(0.06, width, random.uniform(0.4, 0.65)).moved(x=-0.5))
    pillows = 2 if width > 0.7 else 1
    for row in range(pillows):
        y = (row - (pillows - 1) / 2) * width / 2
        parts.append(box(0.18, 0.8 * width / pillows, 0.07).moved(-0.36, y, leg + 0.2))
    return union(parts)


def bench(random: Generator) -> Mesh:
    """A long low seat on two walls."""
    depth, height, inset = random.uniform(0.18, 0.3), random.uniform(0.22, 0.34), random.uniform(0.05, 0.2)
    walls = [box(0.06, 0.9 * depth, height).moved(x=side * (0.5 - inset)) for side in (-1, 1)]
    return union([box(1.0, depth, 0.05).moved(z=height), *walls])


def bookshelf(random: Generator) -> Mesh:
    """Shelves between two sides, with a back."""
    width, depth, shelves = random.uniform(0.4, 0.8), random.uniform(0.18, 0.3), int(random.integers(3, 7))
    sides = [box(0.03, depth, 1.0).moved(x=side * width / 2) for side in (-1, 1)]
    boards = [box(width, depth, 0.03).moved(z=0.97 * row / (shelves - 1)) for row in range(shelves)]
    return union([*sides, *boards, box(width, 0.02, 1.0).moved(y=depth / 2)])


def bottle(random: Generator) -> Mesh:
    """A body, a shoulder and a narrow neck."""
    radius, neck, body = random.uniform(0.15, 0.25), random.uniform(0.05, 0.08), random.uniform(0.45, 0.65)
    shoulder = body + random.uniform(0.1, 0.2)
    return lathe([(0, 0), (radius, 0), (radius, body), (neck, shoulder), (neck, 1), (0, 1)])


def bowl(random: Generator) -> Mesh:
    """A thin round shell, open at the top."""
    angle, depth = np.linspace(0, np.pi / 2, 12), random.uniform(0.35, 0.8)
    outside = np.column_stack([np.sin(angle), -depth * np.cos(angle)])
    return lathe([*outside.tolist(), *(0.92 * outside[::-1]).tolist()])


def chair(random: Generator) -> Mesh:
    """A seat on four legs, with a back; some have arms."""
    width, depth = random.uniform(0.4, 0.55, 2)
    seat, back = random.uniform(0.38, 0.5), random.uniform(0.35, 0.6)
    parts = [_legs(width, depth, seat, 0.05), box(width, depth, 0.05).moved(z=seat)]
    parts.append(box(width, 0.05, back).moved(y=depth / 2, z=seat))
    if random.random() < 0.4:
        for side in (-1, 1):
            parts.append(box(0.05, depth, 0.04).moved(side * width / 2, 0, seat + 0.22))
            parts.append(box(0.05, 0.05, 0.22).moved(side * width / 2, -depth / 2, seat))
    return union(parts)


def goblet(random: Generator) -> Mesh:
    """A cup on a stem and a foot."""
    foot, cup, stem = random.uniform(0.2, 0.3), random.uniform(0.2, 0.32), random.uniform(0.35, 0.55)
    angle = np.linspace(0, np.pi / 2, 8)
    shell = np.column_stack([cup * np.sin(angle), stem + (0.95 - stem) * (1 - np.cos(angle))])
    return lathe([(0, 0), (foot, 0), (foot, 0.03), (0.03, 0.05), (0.03, stem), *shell[1:].tolist()])


def lamp(random: Generator) -> Mesh:
    """A foot, a pole and an open shade."""
    shade, top = random.uniform(0.2, 0.35), random.uniform(0.5, 0.8)
    height = random.uniform(0.2, 0.35)
    screen = lathe([(shade, 1 - height), (shade * top, 1)])
    return union([cylinder(random.uniform(0.15, 0.25), 0.04), cylinder(0.02, 1 - height / 2, segments=8), screen])


def mug(random: Generator) -> Mesh:
    """A cup with a handle."""
    radius = random.uniform(0.3, 0.42)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 13)
    reach, grip = random.uniform(0.2, 0.32), random.uniform(0.22, 0.32)
    handle = np.column_stack([radius + reach * np.cos(angle), np.zeros(13), 0.5 + grip * np.sin(angle)])
    cup = lathe([(0, 0), (radius, 0), (radius, 1), (0.9 * radius, 1), (0.9 * radius, 0.06), (0, 0.06)])
    return cup + tube(handle, 0.05)


def stairs(random: Generator) -> Mesh:
    """Solid steps."""
    steps, width = int(random.integers(3, 8)), random.uniform(0.5, 1.0)
    rise = random.uniform(0.6, 1.0)
    return union([box(1 / steps, width, rise * (row + 1) / steps).moved(x=row / steps) for row in range(steps)])


def stool(random: Generator) -> Mesh:
    """A round seat on three or four slanted legs."""
    height, seat, legs = random.uniform(0.6, 1.0), random.uniform(0.25, 0.35), int(random.integers(3, 5))
    feet, tops = circle(random.uniform(0.28, 0.4), legs), circle(0.7 * seat, legs)
    bars = [tube(np.array([[*foot, 0], [*top, height]]), 0.03) for foot, top in zip(feet, tops)]
    return union([cylinder(seat, 0.06).moved(z=height), *bars])


def table(random: Generator) -> Mesh:
    """A plate on four legs."""
    width, height = random.uniform(0.6, 1.0), random.uniform(0.5, 0.75)
    thick = random.uniform(0.04, 0.09)
    return _legs(1.0, width, height, thick) + box(1.0, width, 0.05).moved(z=height)


def vase(random: Generator) -> Mesh:
    """A bellied vessel with a neck, open at the top."""
    z = np.linspace(0, 1, 20)
    base, belly, place = random.uniform(0.12, 0.18), random.uniform(0.12, 0.25), random.uniform(0.3, 0.5)
    flare = random.uniform(0.05, 0.15)
    radius = base + belly * np.exp(-(((z - place) / 0.2) ** 2)) + flare * np.clip(z - 0.8, 0, None) * 5
    return lathe([(0, 0), *np.column_stack([radius, z]).tolist()])


HOUSEHOLD = {
    "arch": arch,
    "bed": bed,
    "bench": bench,
    "bookshelf": bookshelf,
    "bottle": bottle,
    "bowl": bowl,
    "chair": chair,
    "goblet": goblet,
    "lamp": lamp,
    "mug": mug,
    "stairs": stairs,
    "stool": stool,
    "table": table,
    "vase": vase,
}
