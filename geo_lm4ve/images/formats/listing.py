"""Which images of a store belong to which split and class, before any of them is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import torch

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.images.decode import SUFFIXES
from geo_lm4ve.images.pictures import PictureSet
from geo_lm4ve.images.stores.store import Store
from geo_lm4ve.images.stores.stored_pictures import StoredPictures

SPLITS: Mapping[str, str] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""What folders and tables call the splits."""

_FEW = 5


@dataclass(frozen=True)
class Listed:
    """Images by split.

    Attributes:
        splits: split -> name and label of each image.
        classes: names by label.
    """

    splits: Mapping[str, Sequence[tuple[str, int]]]
    classes: Sequence[str]

    def pictures(self, store: Store, masks: str = "") -> PictureSet:
        """The images as files of the store.

        Args:
            store: that holds them.
            masks: suffix of masks beside them; "": none.

        Raises:
            DataError: an image has no mask.
        """
        known = frozenset(store.names()) if masks else frozenset[str]()
        return PictureSet(
            {
                split: StoredPictures(
                    store,
                    files := [name for name, _ in images],
                    torch.tensor([label for _, label in images], dtype=torch.int64),
                    _masks(store, files, known, masks) if masks else (),
                )
                for split, images in self.splits.items()
            },
            tuple(self.classes),
        )


def _masks(store: Store, files: Sequence[str], known: Collection[str], suffix: str) -> list[str]:
    masks = [str(PurePosixPath(name).with_suffix("")) + suffix for name in files]
    if missing := [mask for mask in masks if mask not in known]:
        raise DataError(
            f"{store.place} lacks {len(missing):,} of {len(masks):,} masks: {few(missing)}; add them, leave their "
            "images out, or leave data.masks empty"
        )
    return masks


def is_image(name: str, masks: str = "") -> bool:
    """Whether a file is an image by its name, and no mask."""
    return name.lower().endswith(SUFFIXES) and not (masks and name.endswith(masks))


def few(names: Collection[object]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - _FEW:,} more" if len(names) > _FEW else ""
    return ", ".join(map(str, list(names)[:_FEW])) + more
