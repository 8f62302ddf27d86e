"""What points carry besides their coordinates, on its way into a model."""

import pytest
import torch
from clouds import random_clouds

from geo_lm4ve import cli
from geo_lm4ve.calls import InputError
from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.create import create_model
from geo_lm4ve.options import CONFIGS
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.features import KINDS, check_finite, unit, width

ALL = tuple(KINDS)
SMALL = {"dim": 24, "depth": 1, "heads": 3, "num_groups": 8, "group_size": 4, "encoder_dim": 16}


def batch(kinds=ALL, points=64):
    return PointBatch.random(2, points, seed=1, kinds=kinds)


def model(*kinds, seed=0):
    torch.manual_seed(seed)
    return create_model("point_bert_tiny", num_classes=5, features=list(kinds), **SMALL).eval()


def test_kinds_and_widths():
    assert KINDS == {"height": 1, "normal": 3, "color": 3, "intensity": 1}
    assert batch().features.shape == (2, 64, width(ALL)) == (2, 64, 8)


def test_an_encoder_gets_the_kinds_it_asks_for_in_its_order():
    full = batch()
    height, normal, color, intensity = full.features.split([1, 3, 3, 1], -1)
    assert torch.equal(full.channels(["intensity", "normal"]), torch.cat([intensity, normal], -1))
    assert torch.equal(full.channels(["color"]), color)
    assert torch.equal(full.channels(ALL), full.features)
    assert full.channels([]) is None
    assert torch.equal(full.channels(["height"]), height)


def test_a_batch_without_what_is_asked_for_says_what_gives_it():
    with pytest.raises(
        InputError, match=r"takes the features normal, color, the data have height: set data.features=\[normal,color\]"
    ):
        batch(("height",)).channels(["normal", "color"])
    with pytest.raises(InputError, match=r"the data have none: set data.features=\[height\]"):
        model("height")(batch(()))


@pytest.mark.parametrize(
    ("features", "names", "text"),
    [
        (torch.zeros(2, 64, 4), ("normal",), r"features have 4 channels, their kinds 3: normal \(3\)"),
        (None, ("height",), "features have 0 channels, their kinds 1"),
        (torch.zeros(2, 64, 3), (), "features have 3 channels, their kinds 0: none"),
        (torch.zeros(2, 64, 3), ("normals",), "one of height, normal, color, intensity, not 'normals'"),
    ],
)
def test_features_are_as_wide_as_their_kinds(features, names, text):
    rows = torch.arange(2)
    with pytest.raises(ValueError, match=text):
        PointBatch(random_clouds(2, 64), rows, rows, features=features, feature_names=names)


def test_features_move_and_are_looked_at_with_the_coordinates():
    assert batch().to("meta").features.device.type == "meta"
    broken = batch()
    broken.features[1, 5, 4] = torch.nan
    for ask in (model("color"), lambda bad: bad.to("meta")):
        with pytest.raises(ValueError, match=r"features\[1, 5\] have the color nan: features must be finite"):
            ask(broken)


def test_the_point_and_kind_that_are_not_finite_are_named():
    features = torch.zeros(1, 3, 4)
    features[0, 2, 3] = torch.inf
    with pytest.raises(ValueError, match=r"features\[0, 2\] have the intensity inf"):
        check_finite(features, ("normal", "intensity"))


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_unit_lengths_neither_overflow_nor_vanish(scale):
    vectors = random_clouds(2, 9) * scale
    vectors[0, 0] = 0
    lengths = unit(vectors).norm(dim=-1)
    assert lengths[0, 0] == 0
    assert (lengths.flatten()[1:] - 1).abs().max() < 1e-6
    assert torch.allclose(unit(vectors), unit(vectors / scale), atol=1e-6)


def test_a_model_reads_the_features_it_takes_and_no_others():
    full, net = batch(), model("normal", "height")
    with torch.no_grad():
        scores = net(full)
        assert torch.equal(scores, net(batch()))
        for kind, read in {"height": True, "normal": True, "color": False, "intensity": False}.items():
            changed = batch()
            start = width(ALL[: ALL.index(kind)])
            changed.features[..., start : start + KINDS[kind]] += 1
            assert torch.equal(scores, net(changed)) != read, kind


def test_a_tensor_has_the_features_behind_the_coordinates_in_the_models_order():
    full, net = batch(("height", "normal")), model("normal", "height")
    height, normal = full.features.split([1, 3], -1)
    with torch.no_grad():
        assert torch.equal(net(torch.cat([full.points, normal, height], -1)), net(full))


WRONG = {
    "coordinates alone": (torch.randn(2, 64, 3), "put 3 features behind the coordinates"),
    "too many": (torch.randn(2, 64, 9), r"leave out what the model does not take, model\(points\[..., :6\]\)"),
    "transposed": (torch.randn(2, 6, 64), r"coordinates come last, model\(points.transpose\(1, 2\)\)"),
    "coordinates transposed": (torch.randn(2, 3, 64), "coordinates come last"),
    "one cloud": (torch.randn(64, 6), "add the batch axis"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_tensor_of_another_width_says_what_is_taken(wrong):
    given, text = WRONG[wrong]
    with pytest.raises(InputError, match=text) as caught:
        model("normal")(given)
    assert "takes coordinates x, y, z, then normal as a floating point tensor (B, N, 6)" in str(caught.value)


def test_without_features_the_weights_are_those_that_were():
    plain, normal = model(), model("normal")
    shapes = [{key: tuple(value.shape) for key, value in net.state_dict().items()} for net in (plain, normal)]
    assert shapes[0].keys() == shapes[1].keys()
    differing = {key: (shapes[0][key], shapes[1][key]) for key in shapes[0] if shapes[0][key] != shapes[1][key]}
    assert differing == {"encoder.stages.embed.pointnet.lift.weight": ((32, 3), (32, 6))}


def test_features_go_with_their_points_into_the_groups():
    embed = model("height").encoder.stages["embed"]
    cloud = random_clouds(2, 64)
    groups, centers = embed.group(cloud, features=cloud[..., :1])
    assert torch.equal(groups[..., :3], embed.group(cloud)[0])
    assert torch.allclose(groups[..., 3], groups[..., 0] + centers[:, :, None, 0], atol=1e-6)


QUICK = CONFIGS / "quickstart.yaml"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (["encoder.features=[normal]"], r"the encoder takes the features normal, the data have none: set data.fea"),
        (
            ["encoder.features=[normal,height]", "data.features=[height]"],
            r"the data have height: set data.features=\[normal,height\]",
        ),
        (
            ["data.features=[height]"],
            r"the encoder takes none: set encoder.features=\[height\], or leave height out of data.features",
        ),
        (["data.features=[normals]"], r"data.features: unknown kind of feature 'normals' \(did you mean 'normal'\?\)"),
        (["encoder.features=[height,height]"], r"encoder.features=\[height,height\] names a kind of feature twice"),
    ],
)
def test_data_and_encoder_that_do_not_fit_are_refused_when_composed(changes, text):
    with pytest.raises(ConfigError, match=text):
        cli.load(QUICK, changes)


def test_data_and_encoder_may_differ_in_the_order():
    cli.load(QUICK, ["encoder.features=[normal,height]", "data.features=[height,normal]"])


def test_a_config_knows_its_channels():
    assert make("encoder", "point_bert").channels == 3
    assert make("encoder", "point_bert", {"features": ["height", "color"]}).channels == 7
