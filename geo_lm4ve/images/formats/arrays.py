"""Images of one size that lie in memory."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Int64, UInt8
from PIL import Image
from torch import Tensor


@dataclass(frozen=True)
class ArrayPictures:
    """See Pictures.

    Attributes:
        pixels: (n, rows, columns, 3) red, green and blue.
        labels: (n,) class of each.
        what: name of all of them, before the row in messages.
    """

    pixels: UInt8[Tensor, "n h w 3"]
    labels: Int64[Tensor, " n"]
    what: str

    def __len__(self) -> int:
        """See Pictures."""
        return len(self.labels)

    def image(self, row: int) -> Image.Image:
        """See Pictures."""
        return Image.fromarray(self.pixels[row].numpy())

    def mask(self, row: int) -> Image.Image | None:
        """See Pictures: there are none."""
        return None

    def name(self, row: int) -> str:
        """See Pictures."""
        return f"{self.what} {row}"
