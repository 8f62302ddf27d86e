import pytest
import torch
from clouds import random_clouds, shapes_unchecked

from geo_lm4ve.geometry.interpolation import interpolate
from geo_lm4ve.layers.feature_propagation import FeaturePropagation
from geo_lm4ve.testing import assert_equal_up_to_rounding


def seeing(coarse_dim, skip_dim):
    """A module that gives what its MLP sees, where that is positive, but for the batch norm's eps."""
    made = FeaturePropagation(coarse_dim, skip_dim, (coarse_dim + skip_dim,)).eval()
    made.mlp[0].linear.weight.data = torch.eye(coarse_dim + skip_dim)
    made.mlp[0].norm.eps = 0.0
    return made


def inputs(dtype=torch.float32):
    torch.manual_seed(0)
    return {
        "points": random_clouds(2, 20, dtype=dtype),
        "coarse_points": random_clouds(2, 5, seed=1, dtype=dtype),
        "coarse_features": torch.rand(2, 5, 3, dtype=dtype),
        "skip": torch.rand(2, 20, 2, dtype=dtype),
    }


def test_interpolated_features_stand_before_those_at_hand():
    points, coarse = torch.zeros(1, 1, 3), torch.tensor([[[1.0, 0, 0], [0, 2, 0], [0, 0, 4]]])
    features = torch.tensor([[[7.0, 0], [0, 7], [7, 7]]])
    found = seeing(2, 1)(points, coarse, features, torch.tensor([[[9.0]]]))
    assert found[0, 0].tolist() == pytest.approx([5, 3, 9], rel=1e-6)  # weights 4/7, 2/7, 1/7
    alone = seeing(2, 0)(points, coarse, features)
    assert alone[0, 0].tolist() == pytest.approx([5, 3], rel=1e-6)


def test_is_the_mlp_of_both_in_float64():
    given, layer = inputs(torch.float64), FeaturePropagation(3, 2, (6, 4)).double().eval()
    carried = interpolate(given["points"], given["coarse_points"], given["coarse_features"])
    x = torch.cat([carried, given["skip"]], dim=-1)
    for part in layer.mlp:
        norm = part.norm
        x = x @ part.linear.weight.T
        x = (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias
        x = x.clamp(min=0)
    assert_equal_up_to_rounding(layer(**given), x)


def test_a_permutation_of_the_many_permutes_and_one_of_the_few_changes_nothing():
    given, layer = inputs(torch.float64), FeaturePropagation(3, 2, (6, 4)).double().eval()
    many, few = torch.randperm(20), torch.randperm(5)
    permuted = {
        name: value[:, few if name.startswith("coarse") else many] for name, value in given.items()
    }  # fmt: skip
    assert_equal_up_to_rounding(layer(**permuted), layer(**given)[:, many])


@pytest.mark.parametrize("training", [True, False])
def test_gradients_reach_both_kinds_of_features_and_the_parameters(training):
    given, layer = inputs(), FeaturePropagation(3, 2, (6, 4)).train(training)
    features = [given[name].requires_grad_() for name in ("coarse_features", "skip")]
    layer(**given).square().sum().backward()
    for tensor in (*features, *layer.parameters()):
        assert tensor.grad.isfinite().all()
        assert tensor.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coarse_features": torch.zeros(2, 5, 4)}, r"coarse_features must be \(2, 5, 3\) .* got \(2, 5, 4\)"),
        ({"skip": None}, r"skip must be \(2, 20, 2\) for points \(2, 20, 3\), got None"),
        ({"skip": torch.zeros(2, 5, 2)}, r"skip must be \(2, 20, 2\)"),
        ({"coarse_points": random_clouds(2, 2), "coarse_features": torch.zeros(2, 2, 3)}, "k=3 for 2 points"),
        ({"coarse_points": torch.full((2, 5, 3), torch.nan)}, "points"),
    ],
)
def test_bad_arguments_name_rule_and_value(change, message):
    with shapes_unchecked(), pytest.raises(ValueError, match=message):
        FeaturePropagation(3, 2, (4,))(**{**inputs(), **change})
