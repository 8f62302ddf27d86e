import pytest
import torch
from clouds import random_clouds

from geo_lm4ve.data.random import generator
from geo_lm4ve.points.augment import Affine, ScaleAndShift, Turn
from geo_lm4ve.points.features import unit
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


def test_a_turn_is_a_rotation_about_its_axis_by_a_uniform_angle():
    for axis in range(3):
        turn = Turn(180, axis).draw(20_000, generator(axis))
        moved = turn(torch.eye(3).expand(20_000, 3, 3))  # row i: where axis i comes to lie
        assert_equal_up_to_rounding(turn.matrix @ turn.matrix.mT, torch.eye(3).expand(20_000, 3, 3))
        assert torch.equal(moved[:, axis], torch.eye(3)[axis].expand(20_000, 3))
        assert_equal_up_to_rounding(torch.linalg.det(turn.matrix), torch.ones(20_000))
        first, second = (axis + 1) % 3, (axis + 2) % 3
        angle = torch.atan2(moved[:, first, second], moved[:, first, first])
        assert angle.mean().abs() < 4 * 3.15 / (3 * 2e4) ** 0.5
        assert angle.std().item() == pytest.approx(3.14159 / 3**0.5, rel=0.02)
        assert angle.abs().max() > 3.1


def test_a_small_turn_stays_within_its_bound():
    matrix = Turn(10, 2).draw(5_000, generator(0)).matrix
    angle = torch.rad2deg(torch.atan2(matrix[:, 1, 0], matrix[:, 0, 0]))
    assert 9.9 < angle.abs().max() <= 10.001
    assert angle.min() < -9.9


def test_normals_stay_at_right_angles_to_a_surface_that_is_scaled():
    random = generator(3)
    normals, along = unit(random_clouds(4, 50)), random_clouds(4, 50, seed=1)
    tangents = along - (along * normals).sum(-1, keepdim=True) * normals
    affine = ScaleAndShift(0.5, 2.0, 1.0).draw(4, random)
    scaled = affine.normals(normals)
    assert ((tangents * affine.scale[:, None]) * scaled).sum(-1).abs().max() < 1e-5
    assert_equal_up_to_rounding(scaled.norm(dim=-1), torch.ones(4, 50))
    assert (scaled - normals).abs().max() > 0.1


def test_a_shift_and_a_common_scale_leave_normals():
    normals = unit(random_clouds(2, 9))
    affine = Affine(torch.full((2, 3), 1.25), torch.ones(2, 3))
    assert torch.allclose(affine.normals(normals), normals, atol=1e-6)
