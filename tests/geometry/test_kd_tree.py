from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from clouds import awkward_clouds, random_clouds

from geo_lm4ve.geometry import kd_tree, kernels, reference
from geo_lm4ve.geometry.neighbours import knn, three_nn

CLOUDS, POINTS = 125, 48
KINDS = sorted(awkward_clouds(1, POINTS))


def queries_of(clouds):
    """Some of the points, the origin (which is equally far from all of a sphere), and others."""
    own, origin = clouds[:, :6], torch.zeros_like(clouds[:, :1])
    between = (clouds[:, :4] + clouds[:, 4:8]) / 2
    return torch.cat([own, origin, between], dim=1)


def by_definition(queries, points, k):
    """Sorted by (dx^2 + dy^2 + dz^2, index), in numbers of the points' dtype."""
    dx, dy, dz = ((queries.numpy()[:, :, None, axis] - points.numpy()[:, None, :, axis]) ** 2 for axis in range(3))
    squared = dx + dy + dz
    indices = np.lexsort((np.broadcast_to(np.arange(points.shape[1]), squared.shape), squared))[..., :k]
    return torch.from_numpy(np.take_along_axis(squared, indices, -1)), torch.from_numpy(indices)


def same(found, expected):
    return all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_tree_and_reference_give_the_same_rows_on_a_thousand_clouds(kind, dtype):
    clouds = awkward_clouds(CLOUDS, POINTS, dtype)[kind]
    queries = queries_of(clouds)
    for k in (1, 3, 17, POINTS - 1, POINTS):
        expected = by_definition(queries, clouds, k)
        assert same(reference.nearest(queries, clouds, k), expected)
        assert same(kd_tree.nearest(queries, clouds, k), expected)


def test_awkward_clouds_have_the_ties_that_they_are_for():
    clouds = awkward_clouds(5, POINTS)
    for kind in ("grid", "twice", "duplicates", "all equal"):
        squared, _ = reference.nearest(queries_of(clouds[kind]), clouds[kind], 18)
        assert (squared[..., 16] == squared[..., 17]).any(), kind  # a k-th neighbour that is one of several


def test_no_clouds_no_queries_and_a_cloud_of_one_point():
    point = random_clouds(2, 1)
    assert kd_tree.nearest(point, point, 1)[1].tolist() == [[[0]], [[0]]]
    assert kd_tree.nearest(point[:, :0], point, 1)[1].shape == (2, 0, 1)
    assert kd_tree.nearest(point[:0], point[:0], 1)[1].shape == (0, 1, 1)


@pytest.mark.parametrize("batch", [1, 5])
def test_threads_change_nothing(batch):
    clouds = random_clouds(batch, 600)
    queries, before = clouds[:, ::5], torch.get_num_threads()
    expected = reference.nearest(queries, clouds, 9)
    try:
        torch.set_num_threads(3)
        assert same(kd_tree.nearest(queries, clouds, 9), expected)
    finally:
        torch.set_num_threads(before)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: kernels.knn(queries, clouds, 9), range(8)))
    assert all(torch.equal(found, expected[1]) for found in results)


@pytest.mark.parametrize(
    ("points", "queries", "k", "pays"),
    [(1024, 64, 32, True), (2048, 32, 32, True), (512, 512, 3, True), (1024, 64, 33, False), (8192, 8, 8, False),
     (1024, 256, 256, False), (128, 4096, 3, False), (256, 64, 8, False)],
)  # fmt: skip
def test_the_tree_is_asked_where_it_pays_and_says_the_same(monkeypatch, points, queries, k, pays):
    clouds = awkward_clouds(2, points)["grid"]
    asked, by_tree = [], kd_tree.nearest
    monkeypatch.setattr(kd_tree, "nearest", lambda *arguments: asked.append(1) or by_tree(*arguments))
    centers = random_clouds(2, queries).round()
    found = knn(centers, clouds, k), *three_nn(centers, clouds)
    assert kd_tree.pays(points, queries, k) == pays
    assert len(asked) == pays + kd_tree.pays(points, queries, 3)
    asked.clear()
    with kernels.reference():
        assert same((knn(centers, clouds, k), *three_nn(centers, clouds)), found)
    assert not asked


def test_points_and_queries_that_lie_in_steps():
    points = random_clouds(2, 1400)[:, ::2]
    assert not points.is_contiguous()
    assert kd_tree.pays(700, 140, 8)
    assert torch.equal(knn(points[:, ::5], points, 8), reference.nearest(points[:, ::5], points, 8)[1])
