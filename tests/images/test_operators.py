"""Every operator against Pillow's, on images with an argument each."""

import sys

import pytest
import torch
from made_images import made_images, pillow, tensor
from PIL import Image, ImageEnhance, ImageOps

from geo_lm4ve.files import UserError
from geo_lm4ve.images.augment.operators import invert, kornia_enhance
from geo_lm4ve.images.augment.steps import COLOURS, PLACES, applied

FILL = (124, 116, 104)


def affine(matrix):
    def move(image, argument):
        numbers = matrix(argument, image)
        return image.transform(image.size, Image.Transform.AFFINE, numbers, Image.Resampling.BICUBIC, fillcolor=FILL)

    return move


def solarize_add(image, addition):
    return image.point([min(255, level + int(addition)) if level < 128 else level for level in range(256)] * 3)


PILLOW = {
    "AutoContrast": (lambda image, _: ImageOps.autocontrast(image), [0, 0]),
    "Equalize": (lambda image, _: ImageOps.equalize(image), [0, 0]),
    "Invert": (lambda image, _: ImageOps.invert(image), [0, 0]),
    "Posterize": (lambda image, bits: ImageOps.posterize(image, int(bits)), [1, 2, 3, 4, 5, 6, 7, 8]),
    "Solarize": (lambda image, threshold: ImageOps.solarize(image, int(threshold)), [0, 1, 26, 128, 255, 256]),
    "SolarizeAdd": (solarize_add, [0, 1, 50, 99, 110]),
    "Color": (lambda image, factor: ImageEnhance.Color(image).enhance(factor), [0.1, 0.19, 1, 1.37, 1.9]),
    "Contrast": (lambda image, factor: ImageEnhance.Contrast(image).enhance(factor), [0.1, 0.19, 1, 1.37, 1.9]),
    "Brightness": (lambda image, factor: ImageEnhance.Brightness(image).enhance(factor), [0.1, 0.19, 1, 1.37, 1.9]),
    "Sharpness": (lambda image, factor: ImageEnhance.Sharpness(image).enhance(factor), [0.1, 0.19, 1, 1.37, 1.9]),
    "Rotate": (
        lambda image, degrees: image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=FILL),
        [-30, -11.3, 0.5, 27],
    ),
    "ShearX": (affine(lambda factor, image: (1, factor, 0, 0, 1, 0)), [-0.3, 0.04, 0.27]),
    "ShearY": (affine(lambda factor, image: (1, 0, 0, factor, 1, 0)), [-0.3, 0.04, 0.27]),
    "TranslateX": (affine(lambda share, image: (1, 0, share * image.width, 0, 1, 0)), [-0.451, 0.0123, 0.405]),
    "TranslateY": (affine(lambda share, image: (1, 0, 0, 0, 1, share * image.height)), [-0.451, 0.0123, 0.405]),
}
ALL_LEVELS = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, 16, 16)


def wanted(name, images, arguments):
    change = PILLOW[name][0]
    return torch.stack([tensor(change(pillow(image), argument)) for image, argument in zip(images, arguments)])


def test_all_operators_are_compared():
    assert PILLOW.keys() == COLOURS.keys() | PLACES.keys()


@pytest.mark.parametrize("name", COLOURS)
def test_colours_are_pillows(name):
    """To the bit, but for Color: kornia does not round the grey that it blends with."""
    arguments = PILLOW[name][1]
    for images in (made_images(len(arguments)), ALL_LEVELS.repeat(len(arguments), 1, 1, 1)):
        got = applied(name, images, arguments, FILL)
        off = (got.int() - wanted(name, images, arguments).int()).abs()
        assert off.max() <= (name == "Color")
    for level in (0, 1, 131, 255):
        flat = torch.full((len(arguments), 3, 5, 4), level, dtype=torch.uint8)
        off = (applied(name, flat, arguments, FILL).int() - wanted(name, flat, arguments).int()).abs()
        assert off.max() <= (name == "Color")


@pytest.mark.parametrize("name", PLACES)
def test_places_are_pillows(name):
    """The fill is where Pillow has it; elsewhere cubic kernels of other slopes differ little, and not on even areas."""
    arguments = PILLOW[name][1]
    even = torch.tensor([30, 200, 7], dtype=torch.uint8)[:, None, None].expand(len(arguments), 3, 40, 56)
    assert torch.equal(applied(name, even, arguments, FILL), wanted(name, even, arguments))
    images = made_images(len(arguments))
    off = (applied(name, images, arguments, FILL).int() - wanted(name, images, arguments).int()).abs()
    assert off.max() <= 12
    assert off.float().mean() < 0.6


def test_an_image_of_no_bits_is_black():
    assert applied("Posterize", made_images(1), [0], FILL).max() == 0


def test_sharpness_of_images_without_an_inside():
    image = made_images(1, height=2, width=7)
    assert torch.equal(applied("Sharpness", image, [0.1], FILL), wanted("Sharpness", image, [0.1]))


def test_kornia_is_asked_for_by_name(monkeypatch):
    kornia_enhance.cache_clear()
    monkeypatch.setitem(sys.modules, "kornia.enhance", None)
    with pytest.raises(UserError, match=r"data\.randaugment and data\.jitter need kornia: pip install 'geo_lm4ve\[ima"):
        invert(made_images(1), torch.zeros(1))
