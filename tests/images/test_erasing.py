import pytest
import torch

from geo_lm4ve.data.random import generator
from geo_lm4ve.images.augment.erasing import Erasing

COUNT, SIDE = 600, 64


def erased(probability, pixels):
    return Erasing(probability)(pixels, [generator(3, row) for row in range(len(pixels))])


@pytest.fixture(scope="module")
def holes():
    """Where each of many images lost pixels."""
    pixels = torch.full((COUNT, 3, SIDE, SIDE), 9.0)
    changed = erased(1.0, pixels) != 9
    assert torch.equal(changed.any(1), changed.all(1))
    assert torch.equal(pixels, torch.full_like(pixels, 9))
    return changed[:, 0]


def test_holes_are_rectangles_of_the_asked_areas(holes):
    heights, widths = holes.any(2).sum(1), holes.any(1).sum(1)
    areas = holes.flatten(1).sum(1)
    assert torch.equal(areas, heights * widths)
    found = areas > 0
    assert found.float().mean() > 0.99
    shares = areas[found] / SIDE**2
    assert shares.min() > 0.02 - 0.003  # sides are rounded
    assert shares.max() < 1 / 3 + 0.01
    assert shares.mean().item() == pytest.approx((0.02 + 1 / 3) / 2, abs=0.015)
    aspects = (heights[found] / widths[found]).log()
    assert aspects.abs().max() < -torch.tensor(0.25).log()
    assert aspects.mean().abs() < 0.1
    assert max(heights.max(), widths.max()) < SIDE


def test_holes_lie_everywhere(holes):
    frequency = holes.float().mean(0)
    corners = [frequency[:16, :16], frequency[:16, -16:], frequency[-16:, :16], frequency[-16:, -16:]]
    assert torch.stack([corner.mean() for corner in corners]).std() < 0.02
    assert min(corner.mean() for corner in corners) > 0.02
    assert frequency[20:44, 20:44].mean() == pytest.approx(float(frequency.max()), abs=0.08)


def test_holes_are_noise_of_each_pixel_and_colour():
    pixels = torch.full((100, 3, SIDE, SIDE), 9.0)
    noise = erased(1.0, pixels)
    noise = noise[noise != 9]
    assert noise.mean().abs() < 0.02
    assert noise.std().item() == pytest.approx(1, abs=0.02)
    assert len(noise.unique()) > 0.9 * len(noise)


def test_a_quarter_of_the_images_loses_one_whatever_the_others_do():
    pixels = torch.full((COUNT, 3, 16, 16), 9.0)
    changed = erased(0.25, pixels)
    assert (changed != pixels).flatten(1).any(1).float().mean().item() == pytest.approx(0.25, abs=0.05)
    assert torch.equal(erased(0.25, pixels[:7]), changed[:7])


def test_an_image_of_one_pixel_stays():
    assert (erased(1.0, torch.ones(5, 3, 1, 1)) == 1).all()
