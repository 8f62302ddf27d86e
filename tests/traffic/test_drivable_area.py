import numpy as np
import pytest

from geo_lm4ve.traffic.argoverse.argoverse1_map import DrivableRaster
from geo_lm4ve.traffic.argoverse.argoverse2_map import MapSurfaces
from geo_lm4ve.traffic.metrics.drivable_area import drivable_area_compliance
from geo_lm4ve.traffic.metrics.probabilities import ForecastError


def _raster():
    """Drivable up to x = 11 and y = 5; row 0 and column 0 count as outside in the official lookup."""
    pixels = np.zeros((10, 20))
    pixels[0:6, 0:12] = 1
    return DrivableRaster(pixels, np.eye(3))


def _modes():
    inside, outside = np.full((30, 2), 3.0), np.full((30, 2), 3.0)
    outside[17] = 15.0
    return np.stack([np.stack([inside, outside, inside]), np.stack([outside, outside, inside])])


def test_share_of_the_first_modes_in_list_order():
    raster = _raster()
    assert drivable_area_compliance(_modes(), [raster, raster], k=6) == pytest.approx([2 / 3, 1 / 3])
    assert drivable_area_compliance(_modes(), [raster, raster], k=1) == pytest.approx([1, 0])


def test_official_roundings_reach_the_score():
    positions = np.full((4, 1, 30, 2), 3.0)
    positions[:, 0, 5] = [[11.4, 5.4], [11.6, 5.0], [0.5, 3.0], [3.0, 0.6]]
    assert drivable_area_compliance(positions, [_raster()] * 4, k=1).tolist() == [1, 0, 0, 1]


def test_every_scene_has_its_own_area():
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10.0]])
    near, far = MapSurfaces([square], [], []), MapSurfaces([square + 100], [], [])
    positions = np.full((3, 2, 60, 2), 5.0)
    positions[:, 1] += 100
    assert drivable_area_compliance(positions, [near, far, near], k=1).tolist() == [1, 0, 1]
    assert drivable_area_compliance(positions, [near, far, near], k=2).tolist() == [0.5, 0.5, 0.5]


def test_one_area_per_scene_is_needed():
    with pytest.raises(ForecastError, match="2 scenes"):
        drivable_area_compliance(_modes(), [_raster()], k=1)
