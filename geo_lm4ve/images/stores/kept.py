"""Small sets are decoded once: which they are, who decodes them, and where their pixels are kept."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import PIL
from jaxtyping import Int64
from PIL import Image
from torch import Tensor

from geo_lm4ve.cache import cache_folder
from geo_lm4ve.data.ahead import made_ahead
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import WriteError, writing
from geo_lm4ve.images.pictures import Pictures
from geo_lm4ve.images.stores.kept_file import KeptError, KeptPixels, Pixels, read_kept, write_kept
from geo_lm4ve.images.stores.stored_pictures import OnDisk
from geo_lm4ve.locks import lock
from geo_lm4ve.notice import say
from geo_lm4ve.progress import Meter

VERSION = 1
"""Of what decoding gives; another one makes kept pixels anew."""
_GIB = 1 << 30
_PROBED = 16
"""Images by which the size of all is estimated before their headers are read."""
_SPARE = 1.5
"""How far off that estimate may be."""
_NAMED = 5
_THREADS = 8
_WAIT = 0.2
"""Seconds between two looks whether another process has finished."""


@dataclass(frozen=True)
class KeptPictures:
    """See Pictures; the pixels are mapped from a file."""

    of: OnDisk
    pixels: KeptPixels

    @property
    def labels(self) -> Int64[Tensor, " n"]:
        """See Pictures."""
        return self.of.labels

    def __len__(self) -> int:
        """See Pictures."""
        return len(self.of)

    def image(self, row: int) -> Image.Image:
        """See Pictures."""
        return self.pixels.image(row)

    def mask(self, row: int) -> Image.Image | None:
        """See Pictures."""
        return self.pixels.mask(row)

    def name(self, row: int) -> str:
        """See Pictures."""
        return self.of.name(row)


def kept(pictures: Pictures, what: str, gib: float) -> Pictures:
    """The same pictures, decoded once and for all where their pixels take at most ``gib`` GiB; else as they are.

    Args:
        pictures: of a split.
        what: they are, in messages.
        gib: 0: nothing is kept.

    Raises:
        DataError: images are damaged; all of them are counted, the first are named.
    """
    if not gib or not isinstance(pictures, OnDisk) or not _probed(pictures, gib * _GIB):
        return pictures
    digest = hashlib.sha256(f"{VERSION} {PIL.__version__} {pictures.digest()}".encode()).hexdigest()
    path = cache_folder("decoded_images") / f"{digest[:16]}.safetensors"
    try:
        pixels = _load(path, digest, len(pictures)) or _made(pictures, what, gib * _GIB, path, digest)
    except WriteError as error:
        say(f"{error}. The images of {what} are decoded whenever they are asked for (data.cache_gib=0)")
        return pictures
    return pictures if pixels is None else KeptPictures(pictures, pixels)


def _made(pictures: OnDisk, what: str, most: float, path: Path, digest: str) -> KeptPixels | None:
    """The pixels, decoded here or by another process that is at it; None where they take more than ``most`` bytes."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.with_suffix(".lock").open("a")
    with file:
        _wait(file, what)
        if (found := _load(path, digest, len(pictures))) is not None:
            return found
        total = sum(map(_Decoding(pictures).bytes, range(len(pictures))))
        if total > most:
            return None
        _Decoding(pictures).write(path, digest, total, what)
    return _load(path, digest, len(pictures))


def _load(path: Path, digest: str, count: int) -> KeptPixels | None:
    if not path.is_file():
        return None
    try:
        return read_kept(path, digest, count)
    except KeptError as error:
        say(str(error))
        return None


def _wait(file: IO[str], what: str) -> None:
    """Until no other process decodes the same images."""
    said = False
    while True:
        try:
            lock(file)
        except BlockingIOError:
            if not said:
                say(f"another process decodes {what}; waiting for it")
            said = True
            time.sleep(_WAIT)
        else:
            return


def _probed(pictures: OnDisk, most: float) -> bool:
    """Whether all of them may fit, by a few."""
    count = len(pictures)
    rows = range(0, count, max(1, count // _PROBED))
    return count > 0 and sum(map(_Decoding(pictures).bytes, rows)) / len(rows) * count <= _SPARE * most


@dataclass(frozen=True)
class _Decoding:
    """All pictures of a split, one after the other."""

    pictures: OnDisk

    def bytes(self, row: int) -> int:
        """That an image and its mask take, by its header; 0 where it is damaged."""
        try:
            width, height = self.pictures.size(row)
        except DataError:
            return 0  # named with all others when they are decoded
        return width * height * (4 if self.pictures.masked() else 3)

    def write(self, path: Path, digest: str, total: int, what: str) -> None:
        """Decode them in threads, in order; DataError where some are damaged."""
        faults: list[DataError] = []
        with Meter(f"decoding {what}, once", len(self.pictures), unit="images", announced=True) as meter:
            write_kept(path, digest, total, self.pictures.masked(), self._decoded(faults, meter))
        say(f"kept the pixels of {what} in {path}")

    def _decoded(self, faults: list[DataError], meter: Meter) -> Iterator[Pixels]:
        workers, rows = min(_THREADS, os.cpu_count() or 1), range(len(self.pictures))
        for one in made_ahead(self._one, rows, workers=workers, prefetch=8):
            meter.advance(1)
            if isinstance(one, DataError):
                faults.append(one)
            elif not faults:
                yield one
        if faults:
            named = "; ".join(map(str, faults[:_NAMED]))
            more = f"; and {len(faults) - _NAMED:,} more" if len(faults) > _NAMED else ""
            raise DataError(f"{len(faults):,} of {len(rows):,} images cannot be read: {named}{more}")

    def _one(self, row: int) -> Pixels | DataError:
        try:
            return self.pictures.image(row), self.pictures.mask(row)
        except DataError as error:
            return error
