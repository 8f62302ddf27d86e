import pytest
import torch
from clouds import random_clouds, shapes_unchecked

from geo_lm4ve.geometry import reference
from geo_lm4ve.geometry.grouping import gather
from geo_lm4ve.geometry.neighbours import ball_query, knn, three_nn
from geo_lm4ve.testing import assert_equal_up_to_rounding


def distances(queries, points):
    return torch.cdist(queries.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist")


def test_knn_is_sorted_and_equals_a_full_sort():
    queries, points = random_clouds(3, 17), random_clouds(3, 50, seed=1)
    assert torch.equal(knn(queries, points, 9), distances(queries, points).argsort(-1)[..., :9])


def test_a_point_is_its_own_nearest_neighbour_far_from_the_origin():
    # |a|^2 + |b|^2 - 2ab would give noise of about 1e-2 here and lose the order.
    points = random_clouds(2, 300) * 0.01 + 1000.0
    assert torch.equal(knn(points, points, 1)[..., 0], torch.arange(300).expand(2, -1))


def test_knn_of_all_points():
    points = random_clouds(1, 6)
    assert knn(points, points, 6).sort(-1).values.tolist() == [[list(range(6))] * 6]


def test_ball_query_takes_the_first_by_index_and_pads_with_the_first():
    queries, points = random_clouds(2, 30), random_clouds(2, 40, seed=1)
    found = ball_query(queries, points, 0.9, 6)
    inside = distances(queries, points) < 0.9
    counts = inside.sum(-1)
    assert (counts == 0).any()
    assert ((counts > 0) & (counts < 6)).any()
    assert (counts > 6).any()
    for cloud in range(2):
        for query in range(30):
            hits = inside[cloud, query].nonzero()[:6, 0].tolist()
            expected = hits + [hits[0]] * (6 - len(hits)) if hits else [0] * 6
            assert found[cloud, query].tolist() == expected


def test_ball_query_is_strict_at_the_radius():
    points = torch.tensor([[[0.5, 0, 0], [0.25, 0, 0], [0, 0.5, 0]]])
    assert ball_query(torch.zeros(1, 1, 3), points, 0.5, 2).tolist() == [[[1, 1]]]
    assert ball_query(torch.zeros(1, 1, 3), points, 0.51, 4).tolist() == [[[0, 1, 2, 0]]]


def test_ball_query_depends_on_point_order():
    query, points = torch.zeros(1, 1, 3), torch.tensor([[[0.1, 0, 0], [0.2, 0, 0]]])
    for order in (points, points.flip(1)):
        assert torch.equal(gather(order, ball_query(query, order, 1.0, 1))[0, 0], order[0, :1])


def test_three_nn_distances_and_indices():
    queries, points = random_clouds(2, 12), random_clouds(2, 9, seed=1)
    found, indices = three_nn(queries, points)
    expected = distances(queries, points).sort(-1)
    assert torch.equal(indices, expected.indices[..., :3])
    assert_equal_up_to_rounding(found, expected.values[..., :3])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_of_equally_far_points_the_lower_index_comes_first(dtype):
    points = torch.tensor([[[2.0, 0, 0], [1, 0, 0], [0, -1, 0], [0, 0, 1], [-1, 0, 0], [0, 0, 0]]], dtype=dtype)
    query = torch.zeros(1, 1, 3, dtype=dtype)
    assert knn(query, points, 4).tolist() == [[[5, 1, 2, 3]]]
    assert knn(query, points.flip(1), 4).tolist() == [[[0, 1, 2, 3]]]
    assert three_nn(query, points)[1].tolist() == [[[5, 1, 2]]]
    assert knn(points * 0, points * 0, 6).tolist() == [[list(range(6))] * 6]


def test_long_query_lists_are_cut_without_a_trace(monkeypatch):
    queries, points = random_clouds(2, 31), random_clouds(2, 40, seed=1)
    calls = {
        "knn": lambda: knn(queries, points, 5),
        "ball": lambda: ball_query(queries, points, 0.8, 5),
        "three": lambda: three_nn(queries, points)[1],
    }
    whole = {name: call() for name, call in calls.items()}
    monkeypatch.setitem(reference.PAIRS_AT_ONCE, "cpu", 2 * 40 * 4)
    assert all(torch.equal(call(), whole[name]) for name, call in calls.items())


def test_mixed_precision_is_promoted():
    points = random_clouds(1, 20, dtype=torch.float64)
    assert torch.equal(knn(points.float(), points, 3), knn(points, points, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda q, p: knn(q, p, 11), "k=11 for 10 points"),
        (lambda q, p: knn(q, p, 0), "k=0"),
        (lambda q, p: knn(q[:1], p, 3), "one batch size, got 1 and 2"),
        (lambda q, p: knn(q * torch.nan, p, 3), "queries"),
        (lambda q, p: ball_query(q, p, 0.0, 3), "radius must be a positive number, got 0.0"),
        (lambda q, p: ball_query(q, p, float("nan"), 3), "radius"),
        (lambda q, p: ball_query(q, p, 1.0, 0), "k must be at least 1"),
        (lambda q, p: ball_query(q, p[:, :0], 1.0, 2), "for 0 points"),
        (lambda q, p: three_nn(q, p[:, :2]), "k=3 for 2 points"),
    ],
)
def test_bad_arguments_name_rule_and_value(call, message):
    with shapes_unchecked(), pytest.raises(ValueError, match=message):
        call(random_clouds(2, 4), random_clouds(2, 10, seed=1))
