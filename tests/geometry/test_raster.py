import itertools

import numpy as np
import pytest

from geo_lm4ve.geometry.raster import rasterise

HEIGHT, WIDTH = 24, 31


def brute_force(corners):
    """Nearest triangle of every sample, one sample and one triangle at a time; -1 where there is none."""
    found = np.full((HEIGHT, WIDTH), -1)
    for row in range(HEIGHT):
        for column in range(WIDTH):
            best = -np.inf
            for face, triangle in enumerate(corners):
                weights = np.linalg.solve(np.vstack([triangle[:, :2].T, np.ones(3)]), [column + 0.5, row + 0.5, 1])
                if weights.min() >= 0 and weights @ triangle[:, 2] > best:
                    best, found[row, column] = weights @ triangle[:, 2], face
    return found


@pytest.mark.parametrize("seed", range(3))
def test_what_is_seen_is_what_a_look_at_every_triangle_finds(seed):
    corners = np.random.default_rng(seed).uniform((-10, -10, 0), (WIDTH + 10, HEIGHT + 10, 1), (7, 3, 3))
    seen = rasterise(corners, HEIGHT, WIDTH)
    found = np.full(HEIGHT * WIDTH, -1)
    found[seen.sample] = seen.face
    assert np.array_equal(found.reshape(HEIGHT, WIDTH), brute_force(corners))
    assert set(found) > {-1}


def test_weights_give_back_the_place_of_a_sample():
    corners = np.random.default_rng(0).uniform((-9, -9, 0), (WIDTH + 9, HEIGHT + 9, 1), (9, 3, 3))
    seen = rasterise(corners, HEIGHT, WIDTH)
    places = np.einsum("nc,nck->nk", seen.weights, corners[seen.face, :, :2])
    assert places == pytest.approx(np.stack([seen.sample % WIDTH + 0.5, seen.sample // WIDTH + 0.5], 1))
    assert (np.diff(seen.sample) > 0).all()


@pytest.mark.parametrize("centre", [(11.5, 8.5), (7.0, 9.0), (0.3, 20.1)])
def test_triangles_that_share_edges_leave_no_gap(centre):
    angle = np.linspace(0, 2 * np.pi, 17)
    rim = np.array(centre) + 60 * np.column_stack([np.cos(angle), np.sin(angle)])
    fan = np.array([[(*centre, 0), (*one, 0), (*other, 0)] for one, other in itertools.pairwise(rim)])
    assert len(rasterise(fan, HEIGHT, WIDTH).sample) == HEIGHT * WIDTH


def test_triangles_without_area_or_outside_are_not_seen():
    line = [(1, 1, 0), (5, 5, 0), (9, 9, 0)]
    point = [(3, 3, 0)] * 3
    outside = [(-50, 3, 0), (-3, 1, 0), (-3, 9, 0)]
    unknown = [(1, 1, 0), (np.nan, 5, 0), (9, 1, 0)]
    assert not len(rasterise(np.array([line, point, outside, unknown], float), HEIGHT, WIDTH).sample)
    assert not len(rasterise(np.zeros((0, 3, 3)), HEIGHT, WIDTH).sample)
