"""Machine parts of random proportions."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from geo_lm4ve.geometry.solids.mesh import Mesh, band, box, circle, cylinder, tube, union


def bolt(random: Generator) -> Mesh:
    """A hexagonal head on a shank."""
    head, length = random.uniform(0.25, 0.35), random.uniform(0.15, 0.25)
    shank = cylinder(head * random.uniform(0.4, 0.55), 1 - length)
    return shank + cylinder(head, length, segments=6).moved(z=1 - length)


def flange(random: Generator) -> Mesh:
    """A pipe with a disc at one end."""
    bore, wall, disc = random.uniform(0.25, 0.35), random.uniform(0.05, 0.1), random.uniform(0.65, 0.9)
    plate = band(circle(bore), circle(disc), random.uniform(0.08, 0.16))
    return plate + band(circle(bore), circle(bore + wall), random.uniform(0.6, 1.0))


def gear(random: Generator) -> Mesh:
    """A toothed wheel with a bore."""
    teeth, depth = int(random.integers(8, 17)), random.uniform(0.15, 0.25)
    outline = circle(1, 4 * teeth)
    outline[(np.arange(4 * teeth) % 4) >= 2] *= 1 - depth
    return band(circle(random.uniform(0.15, 0.35), 4 * teeth), outline, random.uniform(0.2, 0.5))


def i_beam(random: Generator) -> Mesh:
    """A lying beam of I section."""
    height, width, web = random.uniform(0.25, 0.4), random.uniform(0.2, 0.35), random.uniform(0.03, 0.05)
    plates = [box(1.0, width, web), box(1.0, width, web).moved(z=height), box(1.0, web, height)]
    return union(plates)


def l_bracket(random: Generator) -> Mesh:
    """Two plates at a right angle, some with a rib."""
    width, thick, upright = random.uniform(0.3, 0.6), random.uniform(0.05, 0.1), random.uniform(0.6, 1.0)
    parts = [box(1.0, width, thick), box(thick, width, upright).moved(x=-0.5 + thick / 2)]
    if random.random() < 0.5:
        parts.append(tube(np.array([[-0.5 + thick, 0, 0.5 * upright], [0, 0, thick]]), 0.4 * thick))
    return union(parts)


def nut(random: Generator) -> Mesh:
    """A hexagonal prism with a round bore."""
    corner = circle(1, 6)
    sides = np.concatenate([np.linspace(a, b, 6, endpoint=False) for a, b in zip(corner, np.roll(corner, -1, 0))])
    return band(circle(random.uniform(0.45, 0.65), 36), sides, random.uniform(0.4, 1.0))


def pipe_elbow(random: Generator) -> Mesh:
    """A bent pipe with straight ends."""
    angle, end = np.linspace(0, np.pi / 2, 13), random.uniform(0.2, 0.8)
    bend = np.column_stack([np.cos(angle), np.zeros(13), np.sin(angle)])
    path = np.concatenate([bend[:1] - (0, 0, end), bend, bend[-1:] - (end, 0, 0)])
    return tube(path, random.uniform(0.2, 0.4), segments=20)


def pulley(random: Generator) -> Mesh:
    """Two rims with a groove between them, on a bore."""
    rim, groove, thick = random.uniform(0.1, 0.2), random.uniform(0.4, 0.7), random.uniform(0.3, 0.5)
    bore = circle(random.uniform(0.1, 0.2))
    rims = [band(bore, circle(1), rim), band(bore, circle(1), rim).moved(z=rim + thick)]
    return union([*rims, band(bore, circle(groove), thick).moved(z=rim)])


def ring(random: Generator) -> Mesh:
    """A flat ring with a square section."""
    return band(circle(random.uniform(0.6, 0.85)), circle(1), random.uniform(0.1, 0.3))


def spring(random: Generator) -> Mesh:
    """A helix of round wire."""
    turns, height = random.uniform(3, 7), random.uniform(1.5, 3)
    angle = np.linspace(0, 2 * np.pi * turns, int(24 * turns))
    path = np.column_stack([np.cos(angle), np.sin(angle), height * angle / angle[-1]])
    return tube(path, random.uniform(0.08, 0.14), segments=8)


def t_joint(random: Generator) -> Mesh:
    """Three pipe ends that meet at right angles."""
    radius, branch = random.uniform(0.12, 0.22), random.uniform(0.35, 0.6)
    run = cylinder(radius, 1.0).turned("y", 90).moved(x=-0.5)
    return run + cylinder(radius, branch)


def u_channel(random: Generator) -> Mesh:
    """A lying beam of U section."""
    height, width, wall = random.uniform(0.2, 0.4), random.uniform(0.25, 0.45), random.uniform(0.03, 0.05)
    sides = [box(1.0, wall, height).moved(y=side * (width - wall) / 2) for side in (-1, 1)]
    return union([box(1.0, width, wall), *sides])


def wheel(random: Generator) -> Mesh:
    """A rim, a hub and spokes."""
    thick, spokes = random.uniform(0.15, 0.35), int(random.integers(4, 9))
    rim = band(circle(random.uniform(0.75, 0.85)), circle(1), thick)
    bars = [box(0.7, 0.08, 0.5 * thick).moved(x=0.45, z=thick / 4).turned("z", 360 * i / spokes) for i in range(spokes)]
    return union([rim, cylinder(0.2, thick), *bars])


MECHANICAL = {
    "bolt": bolt,
    "flange": flange,
    "gear": gear,
    "i_beam": i_beam,
    "l_bracket": l_bracket,
    "nut": nut,
    "pipe_elbow": pipe_elbow,
    "pulley": pulley,
    "ring": ring,
    "spring": spring,
    "t_joint": t_joint,
    "u_channel": u_channel,
    "wheel": wheel,
}
