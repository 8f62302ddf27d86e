"""Drivable area compliance (DAC): the share of forecast trajectories that stay where a car may drive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from geo_lm4ve.metrics.probabilities import ForecastError


@dataclass(frozen=True)
class DrivableRaster:
    """A city's drivable area as Argoverse 1 stores it.

    Attributes:
        mask: (rows, columns) the raster, 1 where drivable, 1 m per pixel.
        city_to_image: (3, 3) SE(2) from city metres to pixels (the official file's name says the opposite).
    """

    mask: Float[np.ndarray, "rows columns"] | Bool[np.ndarray, "rows columns"]
    city_to_image: Float[np.ndarray, "3 3"]

    def contains(self, points: Float[np.ndarray, "*shape 2"]) -> Bool[np.ndarray, "*shape"]:
        """True where a city point is drivable, with the roundings of ``get_raster_layer_points_boolean``.

        City coordinates are rounded to whole metres, transformed and truncated to pixels. Row 0 and column 0 count as
        outside, and so does everything beyond the raster.
        """
        rounded = np.round(points)
        pixels = (rounded @ self.city_to_image[:2, :2].T + self.city_to_image[:2, 2]).astype(np.int64)
        column, row = pixels[..., 0], pixels[..., 1]
        rows, columns = self.mask.shape
        inside = (column > 0) & (column < columns) & (row > 0) & (row < rows)
        found = self.mask[np.where(inside, row, 0), np.where(inside, column, 0)]
        return inside & (found == 1)


def drivable_area_compliance(
    positions: Float[np.ndarray, "s n f 2"], cities: list[str], rasters: dict[str, DrivableRaster], *, k: int
) -> Float[np.ndarray, " s"]:
    """Share of each scene's first min(k, n) modes with all points on the drivable area.

    The official code takes the modes in the order of the file, not the most likely ones.

    Args:
        positions: (S, n, F, 2) city coordinates in metres.
        cities: S city names.
        rasters: city name -> raster.
        k: number of guesses allowed.

    Raises:
        ForecastError: a city without raster; it is named.
    """
    if missing := sorted(set(cities) - rasters.keys()):
        raise ForecastError(f"no drivable area raster of {', '.join(missing)}; there are: {sorted(rasters) or 'none'}")
    kept = positions[:, :k]
    compliant = np.zeros(kept.shape[:2], dtype=bool)
    for city, raster in rasters.items():
        here = np.array([name == city for name in cities], dtype=bool)
        compliant[here] = raster.contains(kept[here]).all(-1)
    return compliant.mean(1)
