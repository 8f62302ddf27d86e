"""Folders of generated images: a folder per split, in it one per class, in it pictures with their masks."""

from __future__ import annotations

import itertools
import zlib
from pathlib import Path

from PIL import Image

from geo_lm4ve.data.random import numpy_generator
from geo_lm4ve.files import writing
from geo_lm4ve.images.synthetic.recipe import SPLITS, SyntheticImages
from geo_lm4ve.images.synthetic.scene import Scene, draw_scene
from geo_lm4ve.progress import Meter

QUALITY = 95
"""Of the JPEG files, whose colours have as many rows and columns as their brightness."""


def prepare_images(root: Path, images: SyntheticImages) -> None:
    """Have the images in ``root``; those that are there stay.

    Raises:
        DataError: ``root`` holds images of another recipe, or anything else.
    """
    images.generated.into(root, lambda: write(root, images))


def write(root: Path, images: SyntheticImages) -> None:
    """All images into ``root``: ``train/chair/00000.jpg``, its mask ``00000.png`` beside it (1 bit, 1: the solid).

    Args:
        root: a folder; files in it are written over.
        images: what determines them.
    """
    total = sum(images.counts.values())
    with Meter("generating synthetic images", total, unit="images") as meter:
        for split, name in itertools.product(images.counts, images.classes):
            folder = root / split / name
            with writing(folder):
                folder.mkdir(parents=True, exist_ok=True)
            for number in range(getattr(images, split)):
                _write_one(folder / f"{number:05d}", scene(images, split, name, number))
                meter.advance(1)


def scene(images: SyntheticImages, split: str, name: str, number: int) -> Scene:
    """What an image shows; it depends on the recipe's seed and pixels, and on its split, class and number alone."""
    random = numpy_generator(images.seed, SPLITS.index(split), zlib.crc32(name.encode()), number)
    return draw_scene(name, images.pixels, random)


def _write_one(stem: Path, shown: Scene) -> None:
    # In place: the folder is marked as not whole until the last, and a flush for each would take most of the time.
    rgb, mask = shown.picture()
    with writing(picture := stem.with_suffix(".jpg")):
        Image.fromarray(rgb).save(picture, format="JPEG", quality=QUALITY, subsampling=0)
    with writing(beside := stem.with_suffix(".png")):
        Image.fromarray(mask).save(beside, format="PNG")
