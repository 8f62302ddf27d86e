"""PointNeXt against the published numbers."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from geo_lm4ve.create import create_model
from geo_lm4ve.options import load_option
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.testing import golden_clouds

STAGES = ["stem", "sa_1", "sa_2", "sa_3", "sa_4", "all"]


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("option", "inputs", "classes", "parameters", "of_encoder"),
    [
        ("pointnext_s", 3, 40, 1_373_512, 968_480),
        ("pointnext_s_w64", 3, 40, 4_523_112, 3_855_936),
        ("pointnext_s", 4, 15, 1_367_119, 968_512),
        ("pointnext_s", 3, 15, 1_367_087, 968_480),
        ("pointnext_s_w64", 4, 15, 4_516_751, 3_856_000),
        ("pointnext_b", 3, 40, 4_145_960, None),
        ("pointnext_l", 3, 40, 7_443_176, None),
        ("pointnext_xl", 3, 40, 41_895_720, None),
    ],
)
def test_parameter_counts(option, inputs, classes, parameters, of_encoder):
    with torch.device("meta"):
        model = create_model(option, num_classes=classes, in_channels=inputs)
    assert count(model) == parameters
    if of_encoder:  # those of published models
        assert count(model.encoder) == of_encoder
        assert len(model.state_dict()) == 84


def test_published_stages():
    config = load_option("encoder", "pointnext_s")
    encoder = config.build().eval()
    assert list(encoder.dims.items()) == list(zip(STAGES, [32, 64, 128, 256, 512, 512]))
    radii = [encoder.stages[f"sa_{stage}"].radius for stage in range(1, 5)]
    assert radii == pytest.approx([0.15, 0.225, 0.3375, 0.50625])
    value, points = PointBatch.of(golden_clouds()), []
    with torch.no_grad():
        for stage in encoder.stages.values():
            value = stage(value)
            points.append(value.features.shape[1])
            assert dict(value.spans) == {"points": (0, points[-1])}
            assert value.positions.shape == (2, points[-1], 3)
    assert points == [1024, 512, 256, 128, 64, 1]


@pytest.mark.parametrize(("option", "published_gmac"), [("pointnext_s", 0.8111), ("pointnext_s_w64", 3.2307)])
def test_published_cost(option, published_gmac):
    model = create_model(option, num_classes=40).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(golden_clouds()[:1])
    widths = [model.config.encoder.width * 2**stage for stage in range(5)]
    points = [1024 // 2**stage for stage in range(5)]
    spared = sum(
        inputs * outputs // 2 * (after * 32 - before)
        for inputs, outputs, before, after in zip(widths, widths[1:], points, points[1:])
    )  # products with the feature of every neighbour, published form, minus those with that of every point
    assert (counter.get_total_flops() / 2 + spared) / 1e9 == pytest.approx(published_gmac, rel=0.01)
