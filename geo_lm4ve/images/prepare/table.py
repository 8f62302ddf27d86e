"""A folder of generated images as a table: images per class and split, and how much of them the solids take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Group
from rich.table import Table

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.manifest import data_manifest
from geo_lm4ve.images.pictures import Pictures
from geo_lm4ve.images.synthetic.files import image_files
from geo_lm4ve.invocation import command
from geo_lm4ve.notice import progress
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
    found = image_files(root)
    if (there := {split: len(one) for split, one in found.splits.items()}) != manifest.counts:
        raise DataError(f"{root} holds {there} images, its manifest says {manifest.counts}: delete it and make it anew")
    shares: Shares = {}
    sizes: set[tuple[int, int]] = set()
    for split, pictures in found.splits.items():
        for row in progress(range(len(pictures)), f"reading {split}"):
            sizes.add(pictures.image(row).size)
            name = found.classes[int(pictures.labels[row])]
            shares.setdefault((split, name), []).append(_share(pictures, row))
    return Group(_table(str(root), list(found.splits), shares), *_lines(sizes, shares))


def _share(pictures: Pictures, row: int) -> float:
    return float(np.mean(np.asarray(pictures.mask(row)) > 0))


def _table(title: str, splits: Sequence[str], shares: Mapping[tuple[str, str], Sequence[float]]) -> Table:
    table = Table("class", *splits, "share of the solid", title=marked((title, "table.title")))
    for name in sorted({name for _, name in shares}):
        of_splits = [shares.get((split, name), ()) for split in splits]
        mean = np.mean([share for of_split in of_splits for share in of_split])
        table.add_row(marked(name), *(f"{len(of_split):,}" for of_split in of_splits), f"{mean:.3f}")
    return table


def _lines(sizes: set[tuple[int, int]], shares: Mapping[tuple[str, str], Sequence[float]]) -> list[str]:
    every = [share for of_class in shares.values() for share in of_class]
    shown = ", ".join(f"{height} x {width}" for width, height in sorted(sizes))
    return [f"{len(every):,} images of {shown} pixels, the solid takes {min(every):.3f} to {max(every):.3f} of one"]
