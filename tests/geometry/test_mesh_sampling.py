import numpy as np
import pytest
from scipy import stats

from geo_lm4ve.geometry.mesh_sampling import sample_surface

SQUARE = (np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.0]]), np.array([[0, 1, 2], [0, 2, 3]]))


def test_unit_square():
    points, normals, *_ = sample_surface(*SQUARE, 20_000, np.random.default_rng(0))
    assert np.abs(points[:, :2].mean(0) - 0.5).max() < 4 / np.sqrt(12 * 20_000)
    assert points.min() >= 0
    assert points.max() <= 1
    cells = np.histogram2d(points[:, 0], points[:, 1], bins=8)[0].ravel()
    assert stats.chisquare(cells).pvalue > 1e-3
    assert (normals == [0, 0, 1]).all()


def test_faces_are_hit_in_proportion_to_their_area():
    random = np.random.default_rng(1)
    vertices = random.normal(size=(30, 3))
    faces = np.arange(30).reshape(10, 3)
    edges = vertices[faces[:, 1:]] - vertices[faces[:, :1]]
    cross = np.cross(edges[:, 0], edges[:, 1])
    areas = np.linalg.norm(cross, axis=1)
    normals = sample_surface(vertices, faces, 20_000, random).normals
    hits = (normals @ (cross / areas[:, None]).T > 1 - 1e-9).sum(0)
    assert stats.chisquare(hits, areas / areas.sum() * 20_000).pvalue > 1e-3


def test_points_lie_inside_their_triangle():
    vertices = np.array([[0, 0, 0], [2, 0, 0], [0, 1, 0.0]])
    points = sample_surface(vertices, np.array([[0, 1, 2]]), 1000, np.random.default_rng(2)).points
    assert (points[:, 0] / 2 + points[:, 1] <= 1 + 1e-12).all()


def test_a_point_is_the_weighted_mean_of_the_corners_of_its_face():
    vertices = np.random.default_rng(5).normal(size=(9, 3))
    faces = np.arange(9).reshape(3, 3)
    sample = sample_surface(vertices, faces, 200, np.random.default_rng(6))
    assert sample.weights.min() >= 0
    np.testing.assert_allclose(np.einsum("nk,nkc->nc", sample.weights, vertices[faces[sample.faces]]), sample.points)
    assert set(sample.faces) == {0, 1, 2}


def test_same_seed_same_points():
    first, second = (sample_surface(*SQUARE, 10, np.random.default_rng(3))[0] for _ in range(2))
    assert np.array_equal(first, second)


def test_faces_without_area_are_never_hit():
    vertices = np.concatenate([SQUARE[0], [[9, 9, 9.0]]])
    faces = np.concatenate([[[4, 4, 4]], SQUARE[1], [[4, 4, 4]]])
    points, normals, *_ = sample_surface(vertices, faces, 500, np.random.default_rng(4))
    assert points.max() <= 1
    assert np.isfinite(normals).all()


@pytest.mark.parametrize(
    ("vertices", "faces"),
    [
        (np.zeros((3, 3)), np.array([[0, 1, 2]])),
        (SQUARE[0], np.zeros((0, 3), dtype=int)),
        (np.full((3, 3), np.nan), np.array([[0, 1, 2]])),
    ],
)
def test_no_surface(vertices, faces):
    with pytest.raises(ValueError, match="finite area above 0"):
        sample_surface(vertices, faces, 5, np.random.default_rng(0))
