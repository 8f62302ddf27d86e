import pytest
import torch
from clouds import random_clouds

from geo_lm4ve.data.random import generator
from geo_lm4ve.points.augment import ScaleAndShift
from geo_lm4ve.testing import assert_equal_up_to_rounding


def test_scale_and_shift_are_uniform_in_their_ranges_per_cloud_and_axis():
    affine = ScaleAndShift(2 / 3, 3 / 2, 0.2).draw(20_000, generator(0))
    assert affine.scale.shape == affine.shift.shape == (20_000, 3)
    for values, low, high in ((affine.scale, 2 / 3, 3 / 2), (affine.shift, -0.2, 0.2)):
        assert values.min() >= low - 1e-6
        assert values.max() <= high + 1e-6
        assert values.mean(0).tolist() == pytest.approx(
            [(low + high) / 2] * 3, abs=4 * (high - low) / (12 * 2e4) ** 0.5
        )
        assert values.std(0).tolist() == pytest.approx([(high - low) / 12**0.5] * 3, rel=0.03)
    correlation = torch.corrcoef(torch.cat([affine.scale, affine.shift], 1).T) - torch.eye(6)
    assert correlation.abs().max() < 0.04


def test_scaled_first_then_shifted():
    clouds = random_clouds(3, 8)
    affine = ScaleAndShift(0.5, 2.0, 1.0).draw(3, generator(1))
    assert_equal_up_to_rounding(affine(clouds), clouds * affine.scale[:, None] + affine.shift[:, None])
    assert_equal_up_to_rounding(affine[1:](clouds[1:]), affine(clouds)[1:])
