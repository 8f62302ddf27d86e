import numpy as np
import pytest

from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.viz import projection


def test_view_is_a_rotation_that_keeps_z_up():
    points = np.random.default_rng(0).normal(size=(50, 3))
    seen = projection.view(points, azimuth=37, elevation=0)
    assert np.allclose(np.linalg.norm(seen, axis=1), np.linalg.norm(points, axis=1))
    assert np.allclose(seen[:, 1], points[:, 2])


@pytest.mark.parametrize(
    ("azimuth", "elevation", "nearest"),
    [(0, 0, (1, 0, 0)), (90, 0, (0, 1, 0)), (-90, 0, (0, -1, 0)), (0, 90, (0, 0, 1))],
)
def test_camera_direction_is_nearest(azimuth, elevation, nearest):
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    depth = projection.view(axes, azimuth, elevation)[:, 2]
    assert np.allclose(axes[depth.argmax()], nearest)


def test_right_hand_side_of_the_picture():
    # From +x, the y axis points to the right; seen from above as well.
    assert np.allclose(projection.view(np.array([[0.0, 1.0, 0.0]]), 0, 0), [[1, 0, 0]])


def test_fit_fills_the_unit_ball_whatever_the_unit_and_place():
    points = np.random.default_rng(1).uniform(size=(100, 3))
    fitted = projection.fit(points * 1e-6 + 4.0)
    assert np.linalg.norm(fitted, axis=1).max() == pytest.approx(1)
    assert_equal_up_to_rounding(fitted, projection.fit(points), scale=4.0 / 1e-6)


def test_fit_accepts_one_point_and_refuses_none_and_nan():
    assert np.array_equal(projection.fit(np.ones((1, 3))), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="without points"):
        projection.fit(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="1 of 3 points"):
        projection.fit(np.array([[0.0, 0, 0], [1, np.nan, 0], [1, 1, 1]]))


def test_thin_takes_the_first_the_last_and_no_point_twice():
    points = np.arange(300.0).reshape(100, 3)
    few = projection.thin(points, 7)
    assert few.shape == (7, 3)
    assert np.array_equal(few[[0, -1]], points[[0, -1]])
    assert len(np.unique(few[:, 0])) == 7
    assert projection.thin(points, 100) is points


def test_hidden_finds_the_wall_behind_a_wall():
    grid = np.stack(np.meshgrid(np.linspace(-0.7, 0.7, 20), np.linspace(-0.7, 0.7, 20)), -1).reshape(-1, 2)
    front = np.column_stack([grid, np.full(400, 0.5)])
    back = np.column_stack([grid, np.full(400, -0.5)])
    hidden = projection.hidden(np.concatenate([back, front]))
    assert hidden[:400].all()
    assert not hidden[400:].any()
