"""A folder of generated images as a table: images per class and split, and how much of them the solids take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Group
from rich.table import Table

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.manifest import data_manifest
from geo_lm4ve.images.synthetic.recipe import SIZES
from geo_lm4ve.invocation import command
from geo_lm4ve.notice import progress
from geo_lm4ve.reading import reader
from geo_lm4ve.words import marked

Shares = dict[tuple[str, str], list[float]]
"""(split, class) -> share of each image that its solid takes."""


def image_table(root: Path) -> Group:
    """Read every image and every mask of a folder and count them.

    Raises:
        DataError: the folder is none of ours, its generation did not end, or something in it is damaged.
    """
    manifest = data_manifest(root)
    if not manifest.synthetic or not manifest.counts:
        raise DataError(
            f"{root.absolute()} holds no images that {command('prepare')} synthetic_images has made; if that was cut "
            "off, run it again"
        )
    pictures = {split: sorted((root / split).glob("*/*.jpg")) for split in manifest.counts}
    if (there := {split: len(paths) for split, paths in pictures.items()}) != manifest.counts:
        raise DataError(f"{root} holds {there} images, its manifest says {manifest.counts}: delete it and make it anew")
    shares: Shares = {}
    sizes = {_read(path, split, shares) for split in pictures for path in progress(pictures[split], f"reading {split}")}
    return Group(_table(str(root), list(pictures), shares), *_lines(sizes, shares))


def _read(path: Path, split: str, shares: Shares) -> tuple[int, int]:
    rgb, mask = read_pair(path)
    shares.setdefault((split, path.parent.name), []).append(float(mask.mean()))
    return rgb.shape[0], rgb.shape[1]


@reader(DataError, "a generated image with a mask beside it", "delete the folder and generate it again")
def read_pair(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """An image (H, W, 3) uint8 and its mask (H, W) bool.

    Raises:
        DataError: either cannot be read, is too large to be ours, or they do not fit together.
    """
    with Image.open(path, formats=["JPEG"]) as picture, Image.open(path.with_suffix(".png"), formats=["PNG"]) as beside:
        if picture.size != beside.size or max(picture.size) > SIZES[1]:
            raise ValueError(f"the image has {picture.size} pixels and its mask {beside.size}, at most {SIZES[1]}")
        if (picture.mode, beside.mode) != ("RGB", "1"):
            raise ValueError(f"the image is {picture.mode} and its mask {beside.mode} instead of RGB and 1 bit")
        return np.array(picture), np.array(beside)


def _table(title: str, splits: Sequence[str], shares: Mapping[tuple[str, str], Sequence[float]]) -> Table:
    table = Table("class", *splits, "share of the solid", title=marked((title, "table.title")))
    for name in sorted({name for _, name in shares}):
        of_splits = [shares.get((split, name), ()) for split in splits]
        mean = np.mean([share for of_split in of_splits for share in of_split])
        table.add_row(marked(name), *(f"{len(of_split):,}" for of_split in of_splits), f"{mean:.3f}")
    return table


def _lines(sizes: set[tuple[int, int]], shares: Mapping[tuple[str, str], Sequence[float]]) -> list[str]:
    every = [share for of_class in shares.values() for share in of_class]
    shown = ", ".join(f"{height} x {width}" for height, width in sorted(sizes))
    return [f"{len(every):,} images of {shown} pixels, the solid takes {min(every):.3f} to {max(every):.3f} of one"]
