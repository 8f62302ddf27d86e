"""The 1,000 classes of ImageNet's challenge (ILSVRC 2012) by their WordNet ids, and folders that are called by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.images.formats.listing import few, is_image
from geo_lm4ve.images.stores.store import Store
from geo_lm4ve.notice import say


@cache
def wnids() -> tuple[str, ...]:
    """The ids by label: in alphabetical order, as every published classifier has them."""
    return tuple(Path(__file__).with_name("imagenet_wnids.txt").read_text(encoding="ascii").split())


def by_wnids(store: Store, classes: Sequence[str], below: str = "") -> list[tuple[str, int]]:
    """Images in folders that are classes: name and label of each, in alphabetical order.

    Args:
        store: that holds them.
        classes: by label.
        below: the folder with the folders, with its slash; "": the store itself.

    Raises:
        DataError: a folder with images is called by another name than a class, or there is no image at all.
    """
    labels = {name: label for label, name in enumerate(classes)}
    found, strange, others = [], Counter[str](), 0
    for name in store.names():
        folder, inside, _ = name.removeprefix(below).partition("/")
        if not name.startswith(below):
            continue
        if not inside or not is_image(name):
            others += 1
        elif folder in labels:
            found.append((name, labels[folder]))
        else:
            strange[folder] += 1
    if strange:
        raise DataError(
            f"{store.place}/{below}: {len(strange):,} folders are none of the {len(classes):,} classes, with "
            f"{strange.total():,} images: {few(sorted(strange))}; folders are called by WordNet ids (n01440764): move "
            "others away"
        )
    if not found:
        raise DataError(f"{store.place}/{below} has no image in a folder called by a WordNet id (n01440764)")
    if others:
        say(f"{store.place}/{below}: left out: {others:,} files that are no images, or lie in no class")
    return found


def check_count(place: object, split: str, found: int, wanted: int | None, allowed: bool) -> None:
    """DataError where a split has another number of images than it must have."""
    if wanted is not None and found != wanted and not allowed:
        raise DataError(
            f"{place} must hold {wanted:,} images of {split}, it holds {found:,}: files are missing or too many; get "
            "them again, or accept it by data.allow_other_counts=true"
        )
