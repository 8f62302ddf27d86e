"""Ball query by the kd-tree: the rows of the reference, also where a point lies on the sphere itself."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.spatial
import torch
from clouds import awkward_clouds, random_clouds, shapes_unchecked

from geo_lm4ve.geometry import kd_tree, kernels, reference
from geo_lm4ve.geometry.neighbours import ball_query

CLOUDS, POINTS = 60, 48
KINDS = sorted(awkward_clouds(1, POINTS))


@pytest.fixture
def always(monkeypatch):
    """The tree serves crowded balls, too."""
    monkeypatch.setattr(kd_tree, "CROWDED", 1.0)


def by_definition(queries, points, radius, k):
    squared = ((queries[:, :, None] - points[:, None]) ** 2).numpy()
    hit = squared[..., 0] + squared[..., 1] + squared[..., 2] < np.square(squared.dtype.type(radius))
    rows = [np.flatnonzero(row)[:k].tolist() for row in hit.reshape(-1, points.shape[1])]
    filled = [row + (k - len(row)) * (row[:1] or [0]) for row in rows]
    return torch.tensor(filled).view(*queries.shape[:2], k)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_tree_and_reference_give_the_same_rows(always, kind, dtype):
    clouds = awkward_clouds(CLOUDS, POINTS, dtype)[kind]
    queries = torch.cat([clouds[:, :6], torch.zeros_like(clouds[:, :1]), (clouds[:, :4] + clouds[:, 4:8]) / 2], dim=1)
    distances = (queries[:, :1] - clouds[:, :8]).norm(dim=-1)
    on_the_sphere = distances[distances > 0][:3].tolist()  # of a ball round the first query
    for radius in (1e-3, 0.5, 1.0, 2**0.5, 3.0, *on_the_sphere):
        for k in (1, 5, POINTS + 3):
            expected = by_definition(queries, clouds, radius, k)
            assert torch.equal(reference.ball_query(queries, clouds, radius, k), expected)
            assert torch.equal(kd_tree.ball_query(queries, clouds, radius, k), expected)


def test_a_far_cloud_has_the_roundings_of_the_reference(always):
    clouds = random_clouds(4, 500) + 300.0  # a coordinate's last digit is 3e-5
    queries = clouds[:, ::5]
    for radius in (0.02, 0.3):
        found = kd_tree.ball_query(queries, clouds, radius, 8)
        assert torch.equal(found, reference.ball_query(queries, clouds, radius, 8))


def test_crowded_balls_are_left_to_the_reference(monkeypatch):
    clouds = random_clouds(2, 1400)
    queries = clouds[:, :200].contiguous()
    expected = [reference.ball_query(queries, clouds, radius, 16) for radius in (0.2, 5.0)]
    built, tree = [], scipy.spatial.cKDTree
    monkeypatch.setattr(scipy.spatial, "cKDTree", lambda *given, **how: built.append(1) or tree(*given, **how))
    assert torch.equal(ball_query(queries, clouds, 0.2, 16), expected[0])
    assert len(built) == 4
    assert torch.equal(ball_query(queries, clouds, 5.0, 16), expected[1])
    assert len(built) == 4
    with kernels.reference():
        assert torch.equal(ball_query(queries, clouds, 0.2, 16), expected[0])
    assert torch.equal(ball_query(queries[:, :180], clouds, 0.2, 16), expected[0][:, :180])
    assert len(built) == 4


def test_no_clouds_and_no_hits():
    point = random_clouds(2, 300)
    assert kd_tree.ball_query(point[:0], point[:0], 1.0, 3).shape == (0, 300, 3)
    assert kd_tree.ball_query(point + 99.0, point, 1.0, 3).tolist() == [[[0] * 3] * 300] * 2


def test_threads_change_nothing():
    clouds = random_clouds(5, 600)
    queries, before = clouds[:, :500], torch.get_num_threads()
    expected = reference.ball_query(queries, clouds, 0.3, 9)
    try:
        torch.set_num_threads(3)
        assert torch.equal(kd_tree.ball_query(queries, clouds, 0.3, 9), expected)
    finally:
        torch.set_num_threads(before)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: ball_query(queries, clouds, 0.3, 9), range(8)))
    assert all(torch.equal(found, expected) for found in results)


def test_it_says_its_shape_to_fake_tensors_and_to_graphs():
    clouds = random_clouds(2, 1024)
    queries = clouds[:, :256]
    checked = torch.library.opcheck(torch.ops.geo_lm4ve.kd_ball_query, (queries, clouds, 0.2, 8))
    assert set(checked.values()) == {"SUCCESS"}
    with shapes_unchecked():  # whose wrappers cannot be traced
        compiled = torch.compile(ball_query, backend="eager", fullgraph=True)(queries, clouds, 0.2, 8)
    assert torch.equal(compiled, ball_query(queries, clouds, 0.2, 8))
