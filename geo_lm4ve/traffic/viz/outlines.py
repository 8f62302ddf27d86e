"""The outline of a drivable area that only answers "is this point drivable?"."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from contourpy import FillType, contour_generator
from jaxtyping import Float

from geo_lm4ve.traffic.records.surface import Surface

CELL_M = 1.0
"""Distance of the points asked; Argoverse 1's rasters are no finer."""


def outlines(surface: Surface, centre: Float[np.ndarray, " 2"], radius: float) -> list[list[Float[np.ndarray, "_ 2"]]]:
    """Drivable areas in the square around ``centre`` [m], each as closed rings: the outer one, then its holes."""
    steps = np.arange(-radius, radius + CELL_M, CELL_M)
    x, y = centre[0] + steps, centre[1] + steps
    inside = surface.contains(np.stack(np.meshgrid(x, y), axis=-1)).astype(float)
    inside[[0, -1]] = inside[:, [0, -1]] = 0  # so that every ring closes within the square
    contours = contour_generator(x, y, inside, fill_type=FillType.OuterOffset).filled(0.5, 2.0)
    return [[points[start:stop] for start, stop in pairwise(offsets)] for points, offsets in zip(*contours)]
