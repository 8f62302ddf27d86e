"""PointNeXt against a plain form of its formulas, and the properties that hold at every size."""

import copy
from contextlib import nullcontext

import pytest
import torch
from clouds import random_clouds

from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.create import create_model
from geo_lm4ve.geometry import kernels
from geo_lm4ve.geometry.grouping import gather
from geo_lm4ve.geometry.neighbours import ball_query
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.options import load_option
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.encoders.pointnext_layers import is_own_sample
from geo_lm4ve.testing import assert_equal_up_to_rounding

STAGES = ["stem", "sa_1", "sa_2", "sa_3", "sa_4", "all"]
DEEP = {"blocks": [2, 1, 1, 3], "sa_layers": 1, "sa_residual": False}


def small(**more):
    torch.manual_seed(0)
    model = create_model("pointnext_s", **{"num_classes": 5, "width": 8, "neighbours": 6, "radius": 0.5, **more})
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.normal_(module.running_mean, std=0.3)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    return model.eval()


def clouds(size=3, points=64, seed=0):
    cloud = random_clouds(size, points, seed)
    return cloud / cloud.norm(dim=-1).amax(1)[:, None, None]


def plain_layer(x, layer):
    norm = layer.norm
    scaled = (x @ layer.linear.weight.T - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    return scaled * norm.weight + norm.bias


def plain_mlp(x, mlp):
    *layers, last = mlp.layers
    for layer in layers:
        x = plain_layer(x, layer).relu()
    return plain_layer(x, last)


def neighbourhoods(centers, positions, features, radius, k):
    idx = ball_query(centers, positions, radius, k)
    return torch.cat([(gather(positions, idx) - centers[:, :, None]) / radius, gather(features, idx)], dim=-1)


def plain(model, cloud):
    """The published formulas one by one: every stage samples anew, gathers first, multiplies, takes the maximum."""
    config, stages = model.config.encoder, model.encoder.stages
    positions, features = cloud, stages["stem"].linear(cloud)
    for number in range(1, 5):
        stage, radius = stages[f"sa_{number}"], config.radius * config.radius_scaling ** (number - 1)
        idx = farthest_point_sample(positions, positions.shape[1] // 2)
        centers, kept = gather(positions, idx), gather(features, idx)
        x = plain_mlp(neighbourhoods(centers, positions, features, radius, config.neighbours), stage.mlp)
        features = (x.amax(2) + stage.skip(kept)).relu() if config.sa_residual else x.relu().amax(2)
        for block in stage.blocks.values():
            wider = radius * config.radius_scaling
            x = neighbourhoods(centers, centers, features, wider, config.neighbours)
            x = plain_layer(plain_mlp(x, block.local).relu().amax(2), block.widen).relu()
            features = (plain_layer(x, block.narrow) + features).relu()
        positions = centers
    x = plain_mlp(torch.cat([positions, features], dim=-1), stages["all"].mlp)
    return model.head.mlp(x.relu().amax(1))


@pytest.mark.parametrize("more", [{}, DEEP, {"sa_layers": 3}], ids=["S", "deep", "three layers"])
def test_the_fast_form_is_the_published_one(more):
    model, cloud = small(**more).double(), clouds(points=130).double()
    with torch.no_grad():
        assert_equal_up_to_rounding(model(cloud), plain(model, cloud))


KINDS = {
    "normal": lambda n, g: torch.randn(1, n, 3, generator=g),
    "grid": lambda n, g: torch.randint(0, 6, (1, n, 3), generator=g) * 0.1,
    "plane": lambda n, g: torch.rand(1, n, 3, generator=g) * torch.tensor([1.0, 1.0, 0.0]),
    "repeated": lambda n, g: torch.randn(1, n // 5 + 1, 3, generator=g).repeat(1, 5, 1)[:, :n],
}


def drawn(kind, seed):
    generator = torch.Generator().manual_seed(seed)
    return KINDS[kind](int(torch.randint(16, 300, (), generator=generator)), generator)


@pytest.mark.parametrize("kind", KINDS)
def test_points_in_the_order_of_sampling_are_their_own_sample_ties_included(kind):
    for seed in range(25):
        cloud = drawn(kind, seed)
        with kernels.reference():
            chosen = gather(cloud, farthest_point_sample(cloud, cloud.shape[1] // 2))
            half = chosen.shape[1] // 2
            assert is_own_sample(chosen)
            assert torch.equal(gather(chosen, farthest_point_sample(chosen, half)), chosen[:, :half])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kernel", [kernels.reference, nullcontext], ids=["plain torch", "chosen"])
def test_each_stage_samples_as_if_it_sampled_anew(kind, kernel):
    stem, *stages = list(small().encoder.stages.values())[:-1]
    for seed in range(8):
        with kernel(), torch.no_grad():
            tokens = stem(PointBatch.of(drawn(kind, seed)))
            for stage in stages:
                anew = farthest_point_sample(tokens.positions, tokens.positions.shape[1] // 2)
                expected, tokens = gather(tokens.positions, anew), stage(tokens)
                assert torch.equal(tokens.positions, expected)


def test_the_bridge_follows_the_last_set_abstraction_unless_told():
    model = create_model("pointnext_s", num_classes=5, block="mlp")
    assert (model.after, model.encoder.last) == ("sa_4", "all")
    assert model.bridge.dim == 512
    earlier = load_option("bridge", "linear", {"after": "sa_2"})
    changed = copy.copy(model.config)
    object.__setattr__(changed, "bridge", earlier)
    assert changed.build().bridge.dim == 128


def test_what_the_bridge_does_reaches_the_prediction_at_its_place():
    model, cloud = small(block="mlp"), clouds()
    with torch.no_grad():
        value = PointBatch.of(cloud)
        for name in STAGES[:-1]:
            value = model.encoder.stages[name](value)
        filtered = model.bridge(value)
        assert torch.equal(model(cloud), model.head(model.encoder.stages["all"](filtered)))
        assert torch.equal(filtered.positions, value.positions)


def test_the_order_of_points_matters_and_that_of_samples_does_not():
    model, cloud = small(), clouds(4, 200)
    order = torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(199)])
    stem, first = (model.encoder.stages[name] for name in ("stem", "sa_1"))
    with torch.no_grad():
        alone = torch.cat([model(cloud[i : i + 1]) for i in range(4)])
        assert_equal_up_to_rounding(alone, model(cloud))
        tokens, others = (first(stem(PointBatch.of(points))) for points in (cloud, cloud[:, order]))
    assert torch.equal(tokens.positions, others.positions)
    assert (tokens.features - others.features).abs().max() > 0.01 * tokens.features.abs().max()


def test_with_every_point_a_neighbour_the_order_is_irrelevant_once_the_first_is_kept():
    model, cloud = small(neighbours=64), clouds(2, 64)
    order = torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(63)])
    with torch.no_grad():
        assert_equal_up_to_rounding(model(cloud[:, order]), model(cloud))


def test_single_double_and_half_precision():
    model, cloud = small(), clouds()
    with torch.no_grad():
        single, double = model(cloud), copy.deepcopy(model).double()(cloud)
        assert double.dtype == torch.float64
        assert_equal_up_to_rounding(single, double)
        with torch.autocast("cpu", torch.bfloat16):
            half, tokens = model(cloud), model.encoder.stages["stem"](PointBatch.of(cloud))
            places = model.encoder.stages["sa_1"](tokens).positions
    assert_equal_up_to_rounding(half, single, dtype=torch.bfloat16, roundings=32)
    assert places.dtype == torch.float32


@pytest.mark.parametrize("more", [{}, DEEP], ids=["S", "deep"])
def test_every_parameter_gets_a_gradient(more):
    model = small(**more).train()
    model(clouds(6)).square().mean().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 0}, "encoder.width must be at least 1, not 0"),
        ({"blocks": [1, 1, 1]}, "encoder.blocks must hold 4 numbers of at least 1"),
        ({"blocks": [1, 1, 0, 1]}, "encoder.blocks"),
        ({"radius": 0.0}, "encoder.radius must be a positive number, not 0.0"),
        ({"radius_scaling": float("nan")}, "encoder.radius_scaling"),
        ({"features": ["hight"]}, "did you mean 'height'"),
        ({"in_channels": 5}, "encoder.in_channels=5: .*say what the others are"),
        ({"features": ["normal"], "in_channels": 4}, r"features=\[normal\] are 6 channels"),
    ],
)
def test_impossible_configs_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        make("encoder", "pointnext", values)


def test_too_few_points_name_what_to_change():
    assert small()(clouds(2, 16)).shape == (2, 5)
    with pytest.raises(ConfigError, match=r"clouds of 15 points cannot be halved 4 times; use at least 16 points"):
        small()(clouds(2, 15))
