import pytest
import torch
from clouds import random_clouds

from geo_lm4ve.geometry.normalize import normalize_unit_sphere


def test_centre_zero_and_farthest_point_on_the_sphere():
    clouds = normalize_unit_sphere(random_clouds(5, 70) * 30 + 100)
    assert clouds.mean(1).abs().max() < 1e-5
    torch.testing.assert_close(clouds.norm(dim=-1).amax(1), torch.ones(5), rtol=1e-6, atol=1e-6)


def test_idempotent_and_alike_for_one_cloud_and_a_batch():
    once = normalize_unit_sphere(random_clouds(3, 40, dtype=torch.float64))
    torch.testing.assert_close(normalize_unit_sphere(once), once, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(normalize_unit_sphere(once[1]), once[1], rtol=1e-12, atol=1e-12)


def test_one_repeated_position_becomes_zeros():
    assert normalize_unit_sphere(torch.full((4, 3), 7.0)).tolist() == [[0, 0, 0]] * 4


def test_empty_cloud():
    with pytest.raises(ValueError, match="at least one point"):
        normalize_unit_sphere(torch.zeros(2, 0, 3))
