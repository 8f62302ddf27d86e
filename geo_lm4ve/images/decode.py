"""The bytes of one image file as red, green and blue: the pixels that ``Image.open(file).convert("RGB")`` gives.

So do the loaders that published results come from, which is why the following is left as it is there: transparency is
dropped and not blended with anything (colours are those that the file stores, under transparent pixels too), colour
profiles are not applied, photographs are not turned by their EXIF orientation (a TIFF's own orientation is), and of an
animation the first frame counts. Unlike there, gray values of 16 bits are scaled to 8, not cut off at 255.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.images.image_bytes import kind_of, needed, webp_size
from geo_lm4ve.reading import check_bytes, reader

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".gif")
"""Suffixes that image files of a folder are known by."""

MOST_PIXELS = 178_956_970
"""Of one image; Pillow takes more for an attack, unless it is told otherwise."""
_PIXEL = 4
"""Bytes that Pillow has for one."""
_WARNING = ("TIFF", "GIF")
"""Kinds whose readers warn about what may be harmless."""
_QUIET = threading.Lock()
"""What is done to warnings concerns the whole process, so one thread at a time does it."""


@reader(DataError, "an image", "replace it or leave it out")
def read_image(path: Path) -> Image.Image:
    """The image in a file in mode RGB; DataError where it cannot be read."""
    check_bytes(path.stat().st_size, "it")
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
    with _opened(content) as image:
        return _rgb(image)


@reader(DataError, "a mask", "replace it or leave data.masks empty")
def decoded_mask(place: Path | str, content: bytes) -> Image.Image:
    """The mask in the bytes of an image file, in mode L: 255 is the object, 0 is not.

    Raises:
        DataError: as ``decoded``; or it holds 0 and 1 instead.
    """
    with _opened(content) as image:
        mask = (_rgb(image) if image.mode.startswith("I") else image).convert("L")
    if mask.getextrema()[1] == 1:
        raise ValueError("its highest value is 1, where an object should be 255; multiply it, or save it with one bit")
    return mask


@reader(DataError, "an image", "replace it or leave it out")
def image_size(place: Path | str, content: bytes) -> tuple[int, int]:
    """Width and height in the bytes of an image file, which is not decoded; DataError as ``decoded``."""
    with _opened(content) as image:
        return image.size


@contextmanager
def _opened(content: bytes) -> Iterator[Image.Image]:
    """An image whose size has been checked; raises what damaged bytes provoke."""
    kind = kind_of(content)
    if kind == "WEBP":
        _check(webp_size(content) or (0, 0))
    with _quiet(kind), _plugins()[kind](io.BytesIO(needed(kind, content))) as image:
        _check(image.size)
        yield image


def _check(size: tuple[int, int]) -> None:
    pixels = size[0] * size[1]
    if pixels > MOST_PIXELS:
        raise ValueError(f"it has {size[0]:,} x {size[1]:,} pixels, at most {MOST_PIXELS:,} in all are decoded")
    check_bytes(_PIXEL * pixels, f"its {size[0]:,} x {size[1]:,} pixels")


@contextmanager
def _quiet(kind: str) -> Iterator[None]:
    if kind not in _WARNING:
        yield
        return
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def _plugins() -> dict[str, type[ImageFile.ImageFile]]:
    """Readers of each kind: ``Image.open`` would try others too, and warn about sizes that are allowed here."""
    from PIL.BmpImagePlugin import BmpImageFile  # all imported when an image is read
    from PIL.GifImagePlugin import GifImageFile
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile
    from PIL.PpmImagePlugin import PpmImageFile
    from PIL.TiffImagePlugin import TiffImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    return {
        "BMP": BmpImageFile,
        "GIF": GifImageFile,
        "JPEG": JpegImageFile,
        "PNG": PngImageFile,
        "PPM": PpmImageFile,
        "TIFF": TiffImageFile,
        "WEBP": WebPImageFile,
    }


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("its values are floating point, of no stated range; save it with 8 or 16 bits a colour")
    if image.mode.startswith("I"):
        return _from_integers(np.asarray(image))
    image.load()
    image.info.pop("transparency", None)  # of a palette, about which Pillow warns
    return image.convert("RGB")


def _from_integers(values: np.ndarray) -> Image.Image:
    """Gray values of 16 bits: 65535 is white, as 255 is of 8."""
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 0xFFFF:
        raise ValueError(f"its values reach from {low} to {high}; save it with 8 or 16 bits a colour")
    return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8)).convert("RGB")
