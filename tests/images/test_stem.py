"""Stems of ViTs."""

import pytest
import torch

from geo_lm4ve.config import ConfigError
from geo_lm4ve.create import create_model
from geo_lm4ve.images.encoders.stem import Stem, make_stem


@pytest.mark.parametrize("patch", [2, 4, 16])
def test_convolutions_end_in_one_place_per_patch(patch):
    made = make_stem(Stem.conv, 32, patch)(torch.randn(2, 3, 32, 48))
    assert made.shape == (2, 32, 32 // patch, 48 // patch)


def test_each_convolution_doubles_the_width():
    widths = [layer.out_channels for layer in make_stem(Stem.conv, 128, 16) if isinstance(layer, torch.nn.Conv2d)]
    assert widths == [16, 32, 64, 128, 128]


@pytest.mark.parametrize(("dim", "patch"), [(32, 12), (32, 1), (2, 8)])
def test_what_convolutions_do_not_come_to_is_refused(dim, patch):
    with pytest.raises(ConfigError, match=r"encoder\.stem=conv halves an image until a place is a patch"):
        make_stem(Stem.conv, dim, patch)


def test_a_place_sees_beyond_its_patch_with_convolutions_alone():
    images = torch.zeros(1, 3, 32, 32)
    changed = images.clone()
    changed[..., 7, 7] = 5  # the corner of the first patch of four
    for stem, touched in ((Stem.patch, 1), (Stem.conv, 4)):
        torch.manual_seed(0)
        made = make_stem(stem, 16, 8).eval()
        assert int((made(images) != made(changed)).any(1).sum()) == touched


def test_gradients_reach_every_convolution():
    model = create_model("vit_mini", block="identity", num_classes=3)
    model(torch.randn(4, 3, 64, 64)).sum().backward()
    assert all(weight.grad is not None for weight in model.encoder.stages["embed"].parameters())
