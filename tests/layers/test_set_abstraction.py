import pytest
import torch
from clouds import random_clouds, shapes_unchecked

from geo_lm4ve.geometry.grouping import gather
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.layers.set_abstraction import SetAbstraction
from geo_lm4ve.testing import assert_equal_up_to_rounding


def abstraction(in_dim=2, widths=(5, 4), count=6, radius=0.8, neighbours=4, **options):
    torch.manual_seed(0)
    made = SetAbstraction(in_dim, widths, count, radius, neighbours, **options).eval()
    for name, tensor in made.state_dict().items():
        if "norm" in name and tensor.is_floating_point():
            tensor.uniform_(-0.1, 0.1) if "mean" in name else tensor.uniform_(0.5, 1.5)
    return made


def seeing(in_dim, **options):
    """A module whose features are what its MLP sees, at its maximum and if positive, but for the batch norm's eps."""
    channels = in_dim + 3 * options.get("use_xyz", True)
    made = SetAbstraction(in_dim, (channels,), 1, 0.5, 3, **options).eval()
    made.mlp[0].linear.weight.data = torch.eye(channels)
    made.mlp[0].norm.eps = 0.0
    return made


CLOUD = torch.tensor([[[1.0, 0, 0], [1.25, 0, 0], [0.875, 0.25, 0], [1.5, 0, 0], [1, 0, 0.125], [1, 0.25, 0]]])
"""Of point 0: 1, 2, 4 are the first three strictly closer than 0.5 besides itself, 3 is at 0.5 exactly."""
FEATURES = torch.tensor([[[1.0, 10], [2, -20], [3, -30], [400, 400], [5, -50], [600, 600]]])


def test_the_mlp_sees_scaled_offsets_before_features_and_the_maximum_is_taken():
    found = seeing(2)(CLOUD, FEATURES)
    assert found.points.tolist() == [[[1, 0, 0]]]
    assert found.indices.tolist() == [[0]]
    assert found.features.tolist() == [[[0.5, 0.5, 0, 3, 10]]]  # points 0, 1, 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"scaled": False}, [0.25, 0.25, 0, 3, 10]), ({"use_xyz": False}, [3, 10])],
)
def test_options_of_what_the_mlp_sees(options, expected):
    assert seeing(2, **options)(CLOUD, FEATURES).features.tolist() == [[expected]]


def test_a_cloud_without_features():
    assert seeing(0)(CLOUD).features.tolist() == [[[0.5, 0.5, 0]]]


def test_centres_can_be_given_and_one_without_points_sees_point_0():
    cloud = torch.cat([CLOUD, torch.tensor([[[7.0, 0, 0]]])], dim=1)
    given = torch.tensor([[6, 3]])
    found = seeing(0)(cloud, indices=given)
    assert found.points[0, :, 0].tolist() == [7, 1.5]
    assert found.features[0].tolist() == [[0, 0, 0], [0, 0, 0]]
    assert found.indices is given


def test_points_near_the_origin_can_be_passed_over():
    cloud = torch.tensor([[[0.0, 0, 0], [0.01, 0, 0], [0.02, 0, 0], [1, 0, 0]]])
    sampled = [abstraction(0, count=3, skip_near_origin=skip).sample(cloud).tolist() for skip in (0.0, 1e-3)]
    assert sampled == [[[0, 3, 2]], [[0, 3, 3]]]


def naive(layer, points, features, sampled):
    """One neighbour at a time, in Python and float64."""
    rows = []
    for center in points[sampled]:
        hits = [i for i, point in enumerate(points) if float(((point - center) ** 2).sum()) < layer.radius**2]
        hits = (hits + hits[:1] * layer.neighbours)[: layer.neighbours]
        best = None
        for hit in hits:
            x = torch.cat([(points[hit] - center) / layer.radius, features[hit]])
            for part in layer.mlp:
                norm = part.norm
                x = part.linear.weight @ x
                x = (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias
                x = x.clamp(min=0)
            best = x if best is None else torch.maximum(best, x)
        rows.append(best)
    return torch.stack(rows)


def test_equals_a_loop_in_float64():
    layer = abstraction().double()
    points, features = random_clouds(2, 40, dtype=torch.float64), torch.randn(2, 40, 2, dtype=torch.float64)
    found = layer(points, features)
    assert found.features.shape == (2, 6, 4)
    assert torch.equal(found.indices, farthest_point_sample(points, 6))
    assert torch.equal(found.points, gather(points, found.indices))
    expected = torch.stack([naive(layer, p, f, i) for p, f, i in zip(points, features, found.indices)])
    assert_equal_up_to_rounding(found.features, expected)
    assert (expected.std(dim=1) > 0).float().mean() > 0.5  # most channels tell the neighbourhoods apart


def test_the_order_of_points_does_not_matter_while_the_first_stays_and_balls_do_not_overflow():
    layer = abstraction(neighbours=40).double()
    points, features = random_clouds(2, 40, dtype=torch.float64), torch.randn(2, 40, 2, dtype=torch.float64)
    order = torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(39)])
    found, permuted = layer(points, features), layer(points[:, order], features[:, order])
    assert torch.equal(found.points, permuted.points)
    assert_equal_up_to_rounding(permuted.features, found.features)


def test_clouds_of_a_batch_do_not_meet_and_translation_changes_nothing():
    layer = abstraction().double()
    points, features = random_clouds(3, 40, dtype=torch.float64), torch.randn(3, 40, 2, dtype=torch.float64)
    whole = layer(points, features).features
    alone = torch.cat([layer(p[None], f[None]).features for p, f in zip(points, features)])
    assert_equal_up_to_rounding(whole, alone)
    moved = layer(points + torch.tensor([4.0, -8.0, 2.0]), features).features
    assert_equal_up_to_rounding(moved, whole, roundings=1000)  # coordinates are up to ten times larger


@pytest.mark.parametrize("training", [True, False])
def test_gradients_reach_features_points_and_parameters(training):
    layer = abstraction(count=20).train(training)
    points, features = random_clouds(2, 40).requires_grad_(), torch.randn(2, 40, 2, requires_grad=True)
    layer(points, features).features.square().sum().backward()
    for tensor in (points, features, *layer.parameters()):
        assert tensor.grad.isfinite().all()
        assert tensor.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": None}, r"features must be \(2, 9, 2\) for points \(2, 9, 3\), got None"),
        ({"features": torch.zeros(2, 9, 3)}, r"features must be \(2, 9, 2\) .* got \(2, 9, 3\)"),
        ({"features": torch.zeros(2, 2, 9)}, r"the layout is \(b, n, channels\)"),
        ({"points": random_clouds(2, 5), "features": torch.zeros(2, 5, 2)}, "count=6 for 5 points"),
        ({"points": torch.zeros(2, 0, 3), "features": torch.zeros(2, 0, 2)}, "count=6 for 0 points"),
        ({"points": torch.full((2, 9, 3), torch.nan)}, r"points\[0, 0\] is \[nan"),
        (
            {"points": torch.full((2, 9, 3), torch.nan), "indices": torch.zeros(2, 6, dtype=torch.long)},
            r"points\[0, 0\] is \[nan",
        ),
    ],
)
def test_bad_arguments_name_rule_and_value(change, message):
    arguments = {"points": random_clouds(2, 9), "features": torch.zeros(2, 9, 2), **change}
    with shapes_unchecked(), pytest.raises(ValueError, match=message):
        abstraction()(**arguments)


def test_a_cloud_without_features_takes_none():
    with pytest.raises(ValueError, match=r"features must be None for points \(2, 9, 3\), got \(2, 9, 2\)"):
        abstraction(0)(random_clouds(2, 9), torch.zeros(2, 9, 2))
