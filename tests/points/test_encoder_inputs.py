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


def test_four_channels_are_coordinates_and_height_and_features_not_asked_for_are_left_out():
    batch = featured(("height",), 1)
    with torch.no_grad():
        model = small(in_channels=4)
        assert torch.equal(model(batch), model(torch.cat([batch.points, batch.features], dim=2)))
        model = small()
        assert torch.equal(model(batch), model(batch.points))


WRONG = {
    "too few channels": ({"in_channels": 4}, torch.randn(2, 64, 3), "put 1 features behind the coordinates"),
    "other features": ({"in_channels": 4}, featured(("normal",), 3), "takes the features height, the data have normal"),
    "another kind": ({"features": ["height"]}, featured(("intensity",), 1), "the data have intensity: set"),
    "a tensor with more than coordinates": ({}, torch.randn(2, 64, 6), r"leave out what is no coordinate"),
}


@pytest.mark.parametrize("case", WRONG)
def test_other_channels_than_the_model_takes_are_refused(case):
    values, given, message = WRONG[case]
    with pytest.raises(InputError, match=message):
        small(**values)(given)
