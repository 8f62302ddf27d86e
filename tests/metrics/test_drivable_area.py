import numpy as np
import pytest

from geo_lm4ve.metrics.drivable_area import DrivableRaster, drivable_area_compliance
from geo_lm4ve.metrics.probabilities import ForecastError


def _raster(shift=(0.0, 0.0)):
    mask = np.zeros((10, 20))
    mask[0:6, 0:12] = 1
    city_to_image = np.eye(3)
    city_to_image[:2, 2] = shift
    return DrivableRaster(mask, city_to_image)


@pytest.mark.parametrize(
    ("point", "drivable"),
    [
        ((3.0, 3.0), True),
        ((11.0, 5.0), True),
        ((12.0, 5.0), False),
        ((11.4, 5.4), True),  # rounds to (11, 5)
        ((11.6, 5.0), False),  # rounds to column 12
        ((0.0, 3.0), False),  # column 0 counts as outside although the raster is 1 there
        ((3.0, 0.4), False),  # row 0 too
        ((3.0, 0.6), True),
        ((0.5, 3.0), False),  # halves round to even: column 0
        ((1.5, 3.0), True),
        ((-5.0, 3.0), False),
        ((500.0, 3.0), False),
        ((3.0, 500.0), False),
    ],
)
def test_roundings_of_the_official_lookup(point, drivable):
    assert _raster().contains(np.array([point]))[0] == drivable


def test_city_coordinates_are_rounded_before_the_transform_and_truncated_after_it():
    raster = _raster(shift=(0.5, 0.9))
    assert raster.contains(np.array([[10.6, 4.0]]))[0]  # 11 + .5 -> 11
    assert not raster.contains(np.array([[11.6, 4.0]]))[0]  # 12 + .5 -> 12
    assert not raster.contains(np.array([[3.0, -0.3]]))[0]  # 0 + .9 -> row 0


def test_share_of_the_first_modes_in_list_order():
    inside, outside = np.full((30, 2), 3.0), np.full((30, 2), 3.0)
    outside[17] = 15.0
    positions = np.stack([np.stack([inside, outside, inside]), np.stack([outside, outside, inside])])
    rasters = {"PIT": _raster()}
    assert drivable_area_compliance(positions, ["PIT", "PIT"], rasters, k=6) == pytest.approx([2 / 3, 1 / 3])
    assert drivable_area_compliance(positions, ["PIT", "PIT"], rasters, k=1) == pytest.approx([1, 0])


def test_a_city_without_raster_is_named():
    with pytest.raises(ForecastError, match="MIA"):
        drivable_area_compliance(np.zeros((1, 1, 30, 2)), ["MIA"], {"PIT": _raster()}, k=1)
