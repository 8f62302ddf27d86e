"""Which channels of a batch of clouds an encoder reads."""

import pytest
import torch
from clouds import random_clouds

from geo_lm4ve.calls import InputError
from geo_lm4ve.create import create_model
from geo_lm4ve.points.batch import PointBatch


def small(**more):
    torch.manual_seed(0)
    return create_model("pointnext_s", num_classes=5, width=8, neighbours=6, **more).eval()


def featured(kinds, channels, points=64):
    values = torch.randn(2, points, channels, generator=torch.Generator().manual_seed(3))
    labels = torch.arange(2)
    return PointBatch(random_clouds(2, points), labels, labels, features=values, feature_names=kinds)


def test_point_features_are_found_by_their_names():
    model, batch = small(features=["height"]), featured(("normal", "height"), 4)
    height = batch.features[..., 3:]
    with torch.no_grad():
        logits = model(batch)
        assert torch.equal(logits, model(torch.cat([batch.points, height], dim=2)))
        assert torch.equal(logits, model(batch.to("cpu")))
        assert not torch.equal(logits, model(torch.cat([batch.points, height + 1], dim=2)))
    assert model.encoder.stages["stem"].linear.in_features == 4


def test_features_that_are_not_asked_for_are_left_out():
    batch = featured(("height",), 1)
    with torch.no_grad():
        assert torch.equal(small()(batch), small()(batch.points))


@pytest.mark.parametrize(("channels", "kinds"), [(None, []), (3, []), (4, ["height"]), (6, ["normal"])])
def test_a_number_of_channels_stands_for_the_usual_features(channels, kinds):
    model = small(in_channels=channels)
    assert (model.config.encoder.features, model.config.encoder.in_channels) == (
        kinds,
        3 if channels is None else channels,
    )
    sample = model.config.encoder.sample_batch(2)
    given = sample.points if sample.features is None else torch.cat([sample.points, sample.features], dim=2)
    with torch.no_grad():
        assert torch.equal(model(sample), model(given))


LACKING = {
    "a tensor without it": (torch.randn(2, 64, 3), "put 1 features behind the coordinates"),
    "another kind": (featured(("intensity",), 1), r"the data have intensity: set data.features=\[height\]"),
    "nothing": (PointBatch.random(2, 64), r"the data have none: set data.features=\[height\]"),
}


@pytest.mark.parametrize("case", LACKING)
def test_clouds_that_lack_a_feature_are_refused(case):
    given, message = LACKING[case]
    with pytest.raises(InputError, match=message):
        small(in_channels=4)(given)


@pytest.mark.parametrize(("channels", "given"), [(3, 6), (4, 7)])
def test_a_tensor_of_more_channels_is_refused(channels, given):
    with pytest.raises(InputError, match="leave out what"):
        small(in_channels=channels)(torch.randn(2, 64, given))
