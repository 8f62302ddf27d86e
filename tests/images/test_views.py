"""Views: what training and evaluation see of an image."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from geo_lm4ve.images.views import LONGEST, MiddleWindow, RandomWindow, ShiftedWindow, pixels_of


def gradient(width, height):
    """Red counts columns, green counts rows."""
    array = np.zeros((height, width, 3), np.uint8)
    array[..., 0], array[..., 1] = np.arange(width) % 256, (np.arange(height) % 256)[:, None]
    return Image.fromarray(array)


def random(seed=0):
    return torch.Generator().manual_seed(seed)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.floats(0.01, 1), st.integers(0, 10**6))
def test_a_random_window_lies_in_the_image(width, height, least, seed):
    left, top, columns, rows = RandomWindow(8, least).draw(width, height, random(seed))
    assert 0 <= left <= left + columns <= width
    assert 0 <= top <= top + rows <= height
    assert columns > 0
    assert rows > 0


def test_windows_have_the_areas_and_shapes_that_were_asked_for():
    drawn = [RandomWindow(8, 0.2).draw(1000, 1000, random(seed))[2:] for seed in range(1500)]
    areas = np.array([columns * rows / 1e6 for columns, rows in drawn])
    ratios = np.array([columns / rows for columns, rows in drawn])
    assert 0.199 < areas.min() < 0.21
    assert 0.9 < areas.max() <= 1
    assert abs(np.median(areas) - 0.6) < 0.08  # uniform, but for large windows that do not fit and are drawn again
    assert ratios.min() > 0.74
    assert ratios.max() < 1.34
    assert abs(np.log(ratios).mean()) < 0.02


def test_where_no_window_fits_the_middle_of_the_nearest_shape_is_taken():
    # A long strip: windows of area 1 never fit.
    assert RandomWindow(8, 1.0).draw(400, 30, random()) == (180, 0, 40, 30)
    assert RandomWindow(8, 1.0).draw(30, 400, random()) == (0, 180, 30, 40)


@pytest.mark.parametrize(
    ("size", "image", "box"),
    [
        # torchvision: Resize(256), CenterCrop(224) of 500 x 375: 341 x 256, the crop from (58, 16).
        ((224, 0.875), (500, 375), (341, 256, 58, 16)),
        ((224, 0.875), (375, 500), (256, 341, 16, 58)),
        ((64, 1.0), (64, 64), (64, 64, 0, 0)),
        ((32, 1.0), (100, 64), (50, 32, 9, 0)),
    ],
)
def test_the_middle_is_that_of_torchvision(size, image, box):
    seen = MiddleWindow(*size)(picture := gradient(*image))
    width, height, left, top = box
    expected = picture.resize((width, height), Image.Resampling.BICUBIC).crop(
        (left, top, left + size[0], top + size[0])
    )
    assert np.array_equal(np.asarray(seen), np.asarray(expected))


def test_of_a_very_long_image_only_the_middle_is_made():
    seen = MiddleWindow(32)(gradient(9000, 8))
    assert seen.size == (32, 32)
    assert LONGEST < 9000 * 32 / 8
    reds = np.asarray(seen)[16, :, 0].astype(int)
    assert abs(int(np.median(reds)) - 4500 % 256) <= 1
    assert (np.diff(reds) >= 0).all()


def test_a_shifted_window_moves_by_whole_pixels_and_shows_black_beyond():
    whole = np.asarray(gradient(20, 20)).astype(int) + 0
    windows = ShiftedWindow(MiddleWindow(20), 3)
    seen = {}
    for seed in range(80):
        view = np.asarray(windows(Image.fromarray(whole.astype(np.uint8)), random(seed)))
        padded = np.pad(whole, ((3, 3), (3, 3), (0, 0)))
        places = [
            (row, column)
            for row in range(7)
            for column in range(7)
            if np.array_equal(padded[row : row + 20, column : column + 20], view)
        ]
        assert len(places) == 1
        seen[places[0]] = True
    assert len(seen) > 30  # of 49
    still = ShiftedWindow(MiddleWindow(20), 0)(gradient(20, 20), random())
    assert np.array_equal(np.asarray(still), whole)


def test_a_view_is_drawn_from_its_generator_alone():
    image, window = gradient(50, 40), RandomWindow(16)
    first, again, other = (np.asarray(window(image, random(seed))) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_pixels_keep_colours_rows_and_columns():
    pixels = pixels_of([gradient(5, 4), gradient(5, 4)])
    assert pixels.shape == (2, 3, 4, 5)
    assert pixels.dtype == torch.uint8
    assert pixels[1, :, 3, 2].tolist() == [2, 3, 0]
    assert math.isclose(float(pixels[0, 0].float().mean()), 2)
