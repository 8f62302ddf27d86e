import pytest
import torch
from clouds import awkward_clouds, random_clouds, shapes_unchecked

from geo_lm4ve.geometry.interpolation import interpolate
from geo_lm4ve.testing import assert_equal_up_to_rounding


def test_weights_are_inverse_distances_not_squared():
    points = torch.tensor([[[1.0, 0, 0], [0, 2, 0], [0, 0, -4], [8, 0, 0]]], dtype=torch.float64)
    features = torch.eye(4, dtype=torch.float64)[None]
    found = interpolate(torch.zeros(1, 1, 3, dtype=torch.float64), points, features)
    weights = torch.tensor([1 / (distance + 1e-8) for distance in (1, 2, 4)], dtype=torch.float64)
    assert_equal_up_to_rounding(found[0, 0, :3], weights / weights.sum())  # 4/7, 2/7, 1/7
    assert found[0, 0, 3] == 0


def test_a_query_on_a_point_takes_its_features_and_two_on_one_place_share():
    points = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [1, 0, 0], [5, 0, 0]]])
    features = torch.tensor([[[1.0], [2], [4], [100]]])
    found = interpolate(points[:, :2], points, features)[0, :, 0]
    assert found.tolist() == pytest.approx([1, 3], abs=1e-5)


@pytest.mark.parametrize("kind", sorted(awkward_clouds(1, 20)))
def test_equals_a_loop_in_float64(kind):
    points = awkward_clouds(3, 20, torch.float64)[kind]
    queries = points[:, :6] + torch.tensor([0.0, 0.0, 0.25])
    features = torch.randn(3, 20, 4, dtype=torch.float64)
    expected = torch.zeros(3, 6, 4, dtype=torch.float64)
    for cloud in range(3):
        for row, query in enumerate(queries[cloud]):
            distances = [float(((query - point) ** 2).sum() ** 0.5) for point in points[cloud]]
            nearest = sorted(range(20), key=lambda index: (round(distances[index], 12), index))[:3]
            weights = [1 / (distances[index] + 1e-8) for index in nearest]
            for weight, index in zip(weights, nearest):
                expected[cloud, row] += weight / sum(weights) * features[cloud, index]
    assert_equal_up_to_rounding(interpolate(queries, points, features), expected)


def test_gradients_reach_the_features_alone():
    points, features = random_clouds(2, 12).requires_grad_(), torch.randn(2, 12, 5, requires_grad=True)
    interpolate(random_clouds(2, 30, seed=1), points, features).sum().backward()
    assert points.grad is None
    assert_equal_up_to_rounding(features.grad.sum(), torch.tensor(2.0 * 30 * 5))  # weights add up to one


def test_features_keep_their_dtype():
    features = torch.randn(1, 8, 2).bfloat16()
    assert interpolate(random_clouds(1, 4), random_clouds(1, 8), features).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": random_clouds(2, 2), "features": torch.zeros(2, 2, 4)}, "k=3 for 2 points"),
        ({"features": torch.zeros(2, 4, 9)}, r"features must be \(2, 9, 9\) for points .* got \(2, 4, 9\)"),
        ({"features": torch.zeros(9, 4)}, r"features must be \(2, 9, 4\)"),
        ({"queries": torch.full((2, 1, 3), torch.inf)}, "queries"),
        ({"points": torch.zeros(2, 0, 3), "features": torch.zeros(2, 0, 4)}, "k=3 for 0 points"),
    ],
)
def test_bad_arguments_name_rule_and_value(change, message):
    arguments = {"queries": random_clouds(2, 4), "points": random_clouds(2, 9), "features": torch.zeros(2, 9, 4)}
    with shapes_unchecked(), pytest.raises(ValueError, match=message):
        interpolate(**{**arguments, **change})
