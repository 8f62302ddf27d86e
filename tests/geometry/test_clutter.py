import numpy as np
import pytest

from geo_lm4ve.data.random import numpy_generator
from geo_lm4ve.geometry.clutter import clutter, random_colours, soft_colours


@pytest.mark.parametrize(("height", "width"), [(64, 64), (16, 48), (33, 20)])
def test_backgrounds_are_fractions_that_depend_on_the_generator_alone(height, width):
    one, again, other = (clutter(numpy_generator(seed), height, width) for seed in (0, 0, 1))
    assert one.shape == (height, width, 3)
    assert one.min() >= 0
    assert one.max() <= 1
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_figures_have_edges_and_soft_colours_have_none():
    steps = [
        np.mean([np.abs(np.diff(draw(numpy_generator(seed), 64, 64), axis=1)).max() for seed in range(20)])
        for draw in (soft_colours, clutter)
    ]
    assert steps[0] < 0.2 < 0.4 < steps[1]


def test_colours_are_grey_to_full_and_dark_to_bright():
    colours = random_colours(numpy_generator(0), 1000)
    bright, vivid = colours.max(1), 1 - colours.min(1) / colours.max(1)
    assert (bright.min(), bright.max()) == pytest.approx((0.3, 1), abs=0.02)
    assert (vivid.min(), vivid.max()) == pytest.approx((0, 0.85), abs=0.02)
