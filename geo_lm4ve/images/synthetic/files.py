"""Generated images as they are read."""

from __future__ import annotations

from pathlib import Path

from geo_lm4ve.images.formats.class_folders import by_folders
from geo_lm4ve.images.pictures import PictureSet
from geo_lm4ve.images.stores.opened import open_store

MASKS = ".png"


def image_files(root: Path) -> PictureSet:
    """The images of a folder with their masks; DataError where one has no mask."""
    store = open_store(root, "run tools/prepare.py synthetic_images")
    return by_folders(store, MASKS).pictures(store, MASKS)
