"""The file that keeps the pixels of a split: written once from front to back, then mapped by every process.

It is a safetensors file: ``pixels`` is the red, green and blue of every image row by row, each followed by its mask
where there are masks; ``sizes`` (n, 2) are widths and heights; ``check`` is the SHA-256 of both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from PIL import Image
from safetensors import safe_open
from torch import Tensor

from geo_lm4ve.files import UserError, atomic_path
from geo_lm4ve.reading import reader

Pixels = tuple[Image.Image, Image.Image | None]
"""An image and its mask."""


class KeptError(UserError):
    """Kept pixels that cannot be used; the images are decoded again."""


@dataclass(frozen=True)
class KeptPixels:
    """Pixels of n images.

    Attributes:
        pixels: of all of them, mapped.
        sizes: (n, 2) width and height.
        starts: (n + 1,) where each begins in ``pixels``.
        masked: whether each is followed by its mask.
    """

    pixels: UInt8[Tensor, " bytes"]
    sizes: Int64[Tensor, "n 2"]
    starts: Int64[Tensor, " m"]
    masked: bool

    def image(self, row: int) -> Image.Image:
        """An image in mode RGB."""
        width, height = self.sizes[row].tolist()
        start = int(self.starts[row])
        return Image.frombytes("RGB", (width, height), self._bytes(start, 3 * width * height))

    def mask(self, row: int) -> Image.Image | None:
        """Its mask in mode L; None where there are no masks."""
        if not self.masked:
            return None
        width, height = self.sizes[row].tolist()
        end = int(self.starts[row + 1])
        return Image.frombytes("L", (width, height), self._bytes(end - width * height, width * height))

    def _bytes(self, start: int, count: int) -> bytes:
        return self.pixels[start : start + count].numpy().tobytes()


def write_kept(path: Path, digest: str, total: int, masked: bool, images: Iterable[Pixels]) -> None:
    """Write the pixels of images as they come.

    Args:
        path: of the file.
        digest: of the files that they were decoded from.
        total: bytes that they take.
        masked: whether each has a mask.
        images: in order.

    Raises:
        WriteError: the file cannot be written.
    """
    sizes, check = [], hashlib.sha256()
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(bytes(_HEAD))  # known when all are written
        for one in images:
            sizes.append(one[0].size)
            content = b"".join(layer.tobytes() for layer in one if layer is not None)
            check.update(content)
            file.write(content)
        content = np.array(sizes, "<i8").tobytes()
        check.update(content)
        file.write(content + check.digest())
        file.seek(0)
        file.write(_header(total, len(sizes), {"digest": digest, "masked": str(int(masked))}))


_HEAD = 1024
"""Bytes of the header, filled up with blanks."""


def _header(total: int, count: int, said: dict[str, str]) -> bytes:
    ends = (total, total + 16 * count, total + 16 * count + 32)
    content = {
        "__metadata__": said,
        "pixels": {"dtype": "U8", "shape": [total], "data_offsets": [0, ends[0]]},
        "sizes": {"dtype": "I64", "shape": [count, 2], "data_offsets": [ends[0], ends[1]]},
        "check": {"dtype": "U8", "shape": [32], "data_offsets": [ends[1], ends[2]]},
    }
    text = json.dumps(content).encode().ljust(_HEAD - 8)
    return (_HEAD - 8).to_bytes(8, "little") + text


@reader(KeptError, "kept pixels", "decoding the images again")
def read_kept(path: Path, digest: str, count: int) -> KeptPixels:
    """The pixels of so many images; KeptError where they are damaged, or of other files than the digest is of."""
    with safe_open(path, "pt") as file:
        said = file.metadata() or {}
        pixels, sizes, check = (file.get_tensor(name) for name in ("pixels", "sizes", "check"))
    if said.get("digest") != digest or sizes.shape != (count, 2) or sizes.dtype != torch.int64:
        raise ValueError("it is of other images")
    found = hashlib.sha256(memoryview(pixels.numpy()))
    found.update(memoryview(sizes.numpy()))
    if found.digest() != check.numpy().tobytes():
        raise ValueError("its checksum is another one")
    masked = said.get("masked") == "1"
    lengths = sizes.prod(1) * (4 if masked else 3)
    starts = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    if (sizes < 1).any() or int(starts[-1]) != len(pixels):
        raise ValueError("its sizes do not fit its pixels")
    return KeptPixels(pixels, sizes, starts, masked)
