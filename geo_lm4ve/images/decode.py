"""The bytes of one image file as red, green and blue."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.reading import reader

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".gif")
"""Suffixes that image files of a folder are known by."""


def read_image(path: Path) -> Image.Image:
    """The image in a file in mode RGB; DataError where it cannot be read."""
    return decoded(path, path.read_bytes())


@reader(DataError, "an image", "replace it or leave it out")
def decoded(place: Path | str, content: bytes) -> Image.Image:
    """The image in the bytes of a file in mode RGB.

    Args:
        place: what messages call it.
        content: of the file.

    Raises:
        DataError: it is damaged, of no known format, or too large.
    """
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")
