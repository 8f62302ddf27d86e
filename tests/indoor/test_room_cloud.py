from dataclasses import replace

import numpy as np
import pytest
from drawn_rooms import bare, room

from geo_lm4ve.indoor.viz.cloud import cloud_of
from geo_lm4ve.indoor.viz.drawing import ABOVE, OBLIQUE

FLOOR, NEAR, FAR = slice(0, 600), slice(600, 1200), slice(1200, 1800)


def test_a_wall_in_front_does_not_hide_the_room():
    """Seen from the front (y < 0): its wall looks away, floor and wall behind are seen; from above the floor alone."""
    cloud = cloud_of(room(), 10_000)
    seen = cloud.facing(OBLIQUE.towards)
    assert [seen[part].mean() for part in (FLOOR, NEAR, FAR)] == [1, 0, 1]
    seen = cloud.facing(ABOVE.towards)
    assert [seen[part].mean() for part in (FLOOR, NEAR, FAR)] == [1, 0, 0]
    assert cloud_of(bare(30), 10).facing(ABOVE.towards).all()


def test_normals_are_turned_by_the_alignment_that_the_points_have_had():
    quarter = np.eye(4)
    quarter[:2, :2] = [[0, -1], [1, 0]]
    raw, turned = cloud_of(room(), 10_000), cloud_of(room(alignment=quarter), 10_000)
    assert np.allclose(turned.normals[NEAR], [-1, 0, 0])
    assert np.allclose(raw.normals[NEAR], [0, 1, 0])


def test_from_above_x_is_right_and_y_is_up():
    assert np.allclose(ABOVE.view(np.eye(3)), np.eye(3), atol=1e-12)


def test_dots_close_up_whatever_the_density():
    """Half of the floor has 16 times the points: dots there have a quarter of the side."""
    rng = np.random.default_rng(0)
    sparse, dense = rng.random((500, 3)) * (1, 1, 0), rng.random((8000, 3)) * (1, 1, 0) + (2, 0, 0)
    points = np.concatenate([sparse, dense]).astype(np.float32)
    made = replace(bare(len(points)), points=points)
    spacing = cloud_of(made, 10_000).spacing
    assert np.median(spacing[:500]) / np.median(spacing[500:]) == pytest.approx(4, rel=0.15)
    cells = np.unique((sparse[:, :2] / np.median(spacing[:500])).astype(int), axis=0)
    assert len(cells) > 0.6 / np.median(spacing[:500]) ** 2


def test_an_object_on_the_floor_does_not_thin_its_dots():
    rng = np.random.default_rng(0)
    floor, rug = rng.random((500, 3)) * (1, 1, 0), rng.random((8000, 3)) * (1, 1, 0)
    points = np.concatenate([floor, rug]).astype(np.float32)
    owners = np.repeat(np.array([-1, 0], dtype=np.int32), [500, 8000])
    apart = cloud_of(replace(bare(8500), points=points, instances=owners), 10_000).spacing
    as_one = cloud_of(replace(bare(8500), points=points), 10_000).spacing
    assert np.median(apart[:500]) > 3.5 * np.median(as_one[:500])


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_few_points_and_no_normals_will_do(count):
    cloud = cloud_of(bare(count), 10)
    assert len(cloud.points) == min(count, 10)
    assert (cloud.spacing > 0).all()
    assert np.isfinite(cloud.lit(OBLIQUE.towards)).all()


def test_what_has_no_place_is_refused_by_name():
    broken = room("scene0007_00")
    broken.points[5, 1] = np.nan
    with pytest.raises(ValueError, match=r"1 of 1800 points of scan 'scene0007_00' are not finite"):
        cloud_of(broken, 100)
    with pytest.raises(ValueError, match="scan 'bare' has no points"):
        cloud_of(bare(0), 100)
