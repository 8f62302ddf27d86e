import pytest
import torch
from clouds import random_clouds

from geo_lm4ve.geometry.normalize import normalize_unit_sphere
from geo_lm4ve.testing import assert_equal_up_to_rounding


def test_centre_zero_and_farthest_point_on_the_sphere():
    clouds = normalize_unit_sphere(random_clouds(5, 70) * 30 + 100)
    assert_equal_up_to_rounding(clouds.mean(1), torch.zeros(5, 3), scale=100 / 60)  # centre and radius before
    assert_equal_up_to_rounding(clouds.norm(dim=-1).amax(1), torch.ones(5))


def test_idempotent_and_alike_for_one_cloud_and_a_batch():
    once = normalize_unit_sphere(random_clouds(3, 40, dtype=torch.float64))
    assert_equal_up_to_rounding(normalize_unit_sphere(once), once)
    assert_equal_up_to_rounding(normalize_unit_sphere(once[1]), once[1])


@pytest.mark.parametrize("points", range(1, 40))
def test_one_repeated_position_becomes_zeros(points):
    assert normalize_unit_sphere(torch.full((points, 3), 0.1)).tolist() == [[0, 0, 0]] * points


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", ["max", "smallest_subnormal"])
def test_sums_and_squares_neither_overflow_nor_vanish(dtype, size):
    reach = torch.finfo(dtype).max if size == "max" else torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
    points = torch.tensor([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], dtype=dtype)
    assert torch.equal(normalize_unit_sphere(points * reach), points)


def test_empty_cloud():
    with pytest.raises(ValueError, match="at least one point"):
        normalize_unit_sphere(torch.zeros(2, 0, 3))


@pytest.mark.parametrize("odd", [torch.nan, torch.inf, -torch.inf])
def test_coordinates_that_are_not_finite(odd):
    points = random_clouds(2, 5)
    points[1, 3, 2] = odd
    with pytest.raises(ValueError, match="must be finite to be normalised, one is"):
        normalize_unit_sphere(points)
