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


def test_one_repeated_position_becomes_zeros():
    assert normalize_unit_sphere(torch.full((4, 3), 7.0)).tolist() == [[0, 0, 0]] * 4


def test_empty_cloud():
    with pytest.raises(ValueError, match="at least one point"):
        normalize_unit_sphere(torch.zeros(2, 0, 3))
