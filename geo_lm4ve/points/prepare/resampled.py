"""ModelNet as normal-resampled clouds: ``CLASS/CLASS_NNNN.txt`` of x, y, z and normal, and lists of names."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.points.prepare.listing import SPLITS, Item, Listing
from geo_lm4ve.reading import reader


def names_file(folder: Path, name: str) -> Path:
    """The list of class names of a release: ``modelnet40_shape_names.txt``."""
    return folder / f"{name}_shape_names.txt"


def list_resampled(folder: Path, name: str) -> Listing:
    """The clouds that the lists of a release name.

    Args:
        folder: of the release.
        name: that its lists begin with: ``modelnet40``.

    Raises:
        DataError: a list is missing or damaged, or names a cloud of no class or of both splits.
    """
    classes = read_lines(names_file(folder, name))
    items = []
    for split in SPLITS:
        path = folder / f"{name}_{split}.txt"
        for cloud in read_lines(path):
            kind = "_".join(cloud.split("_")[:-1])
            if kind not in classes:
                raise DataError(f"{path} names {cloud}, but {names_file(folder, name)} has no class {kind or cloud!r}")
            items.append(Item(folder / kind / f"{cloud}.txt", f"{kind}/{cloud}.txt", kind, split))
    if twice := [one for one, count in Counter(item.name for item in items).items() if count > 1]:
        raise DataError(f"{twice[0]} is in train and in test by the lists in {folder}: get them again")
    return Listing(folder, tuple(sorted(classes)), tuple(items), divided=True)


@reader(DataError, "a list of names, one a line", "get it again")
def read_lines(path: Path) -> tuple[str, ...]:
    """The names in a list; DataError if one is no plain name or stands there twice."""
    names = tuple(line.strip() for line in path.read_text(encoding="utf-8-sig").split("\n") if line.strip())
    if odd := [name for name in names if not re.fullmatch(r"[\w.-]+", name) or name.startswith(".")]:
        raise ValueError(f"{odd[0]!r:.60} is no name")
    if not names or len(set(names)) < len(names):
        raise ValueError("it is empty" if not names else f"{Counter(names).most_common(1)[0][0]!r:.60} stands twice")
    return names
