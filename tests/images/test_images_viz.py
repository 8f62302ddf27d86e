"""Contact sheets, cards and activation of images."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from geo_lm4ve.images.viz.activation import Lit, activation_png, on_grid
from geo_lm4ve.images.viz.cards import Card, section
from geo_lm4ve.images.viz.contact_sheet import contact_sheet_png

RNG = np.random.default_rng(0)


def image(width=30, height=20):
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_sheet_shows_the_images(tmp_path):
    red, blue = np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20, 3), np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    contact_sheet_png(tmp_path / "s.png", [red, blue], ["a\nb", "c\nc"], [False, True], "t", probabilities=[0.5, 0.9])
    with Image.open(tmp_path / "s.png") as file:
        picture = np.asarray(file.convert("RGB")).reshape(-1, 3).astype(int)
    for colour in ((255, 0, 0), (0, 0, 255)):
        assert (np.abs(picture - colour).sum(1) < 30).mean() > 0.05


def test_a_sheet_refuses_lists_of_different_lengths(tmp_path):
    with pytest.raises(ValueError, match="2 images, but 1 captions"):
        contact_sheet_png(tmp_path / "s.png", [image(), image()], ["a"], None, "t")
    with pytest.raises(ValueError, match="1 captions, but 2 flags"):
        contact_sheet_png(tmp_path / "s.png", [image()], ["a"], [True, False], "t")
    assert not list(tmp_path.iterdir())


def test_cards_hold_the_image_reduced(tmp_path):
    heading, html = section([Card(image(600, 300), [("cat", 0.7)], "dog", 'a"b.jpg')])
    assert heading == "Predictions"
    assert "true: dog" in html
    assert 'a"b' not in html
    source = html.split('src="data:image/jpeg;base64,')[1].split('"')[0]
    assert Image.open(io.BytesIO(base64.b64decode(source))).size == (224, 112)


def test_values_find_their_patch_on_the_grid():
    rows, columns = torch.meshgrid(torch.arange(2.0), torch.arange(3.0), indexing="ij")
    positions = torch.stack([rows.flatten(), columns.flatten()], 1)
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    grid = on_grid(torch.arange(6.0)[order], positions[order])
    assert grid.tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(ValueError, match="5 tokens at 2 heights and 3 widths fill no grid"):
        on_grid(torch.arange(5.0), positions[:5])


def test_activation_draws_every_image_with_its_patches(tmp_path):
    mask = np.zeros((20, 30), bool)
    mask[5:15, 5:15] = True
    lit = [
        Lit(image(), {"before": np.eye(4), "after": 1 - np.eye(4)}, "cat (true: $dog$)", place % 2 == 0, mask)
        for place in range(4)
    ]
    activation_png(tmp_path / "a.png", lit, "t", "n", synthetic=True)
    activation_png(tmp_path / "b.png", lit[:1], "t", "n")
    with Image.open(tmp_path / "a.png") as four, Image.open(tmp_path / "b.png") as one:
        assert four.height > one.height
