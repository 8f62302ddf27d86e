"""Generated images and their masks."""

from __future__ import annotations

from pathlib import Path

from mutate import BYTES
from seed import Seed

from geo_lm4ve.images.prepare.table import read_pair
from geo_lm4ve.images.synthetic.recipe import SyntheticImages
from geo_lm4ve.images.synthetic.write import write

READERS = ("geo_lm4ve.images.prepare.table.read_pair",)


def _image(folder: Path) -> Path:
    write(folder, SyntheticImages(["mug", "vase"], train=1, val=0, test=0, size=32))
    return folder / "train" / "mug" / "00000.jpg"


def _mask(folder: Path) -> Path:
    return _image(folder).with_suffix(".png")


def _read(path: Path) -> None:
    rgb, mask = read_pair(path.with_suffix(".jpg"))
    assert rgb.shape == (*mask.shape, 3), "an image without its mask"


SEEDS = (
    Seed("generated image", READERS, _image, _read, BYTES),
    Seed("mask of a generated image", READERS, _mask, _read, BYTES),
)
