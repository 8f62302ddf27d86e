"""What a data set of images offers: the images of one split, read by their row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Int64
from PIL import Image
from torch import Tensor


@runtime_checkable
class Pictures(Protocol):
    """The images of one split; several threads read it at a time."""

    @property
    def labels(self) -> Int64[Tensor, " n"]:
        """Class of each image."""

    def __len__(self) -> int:
        """Number of images n."""

    def image(self, row: int) -> Image.Image:
        """One image in mode RGB, whole; DataError where its file is damaged."""

    def mask(self, row: int) -> Image.Image | None:
        """Its mask in mode L, as large as the image, above 127 where the object is; None: there are no masks."""

    def name(self, row: int) -> str:
        """What messages and pages call it: the file below the data set's folder, or the row in one file."""


@dataclass(frozen=True)
class Chosen:
    """Some of the images of a split, in the order of ``rows``.

    Attributes:
        of: the split.
        rows: (m,) of these images in it.
    """

    of: Pictures
    rows: Int64[Tensor, " m"]

    @property
    def labels(self) -> Int64[Tensor, " m"]:
        """See Pictures."""
        return self.of.labels[self.rows]

    def __len__(self) -> int:
        """See Pictures."""
        return len(self.rows)

    def image(self, row: int) -> Image.Image:
        """See Pictures."""
        return self.of.image(int(self.rows[row]))

    def mask(self, row: int) -> Image.Image | None:
        """See Pictures."""
        return self.of.mask(int(self.rows[row]))

    def name(self, row: int) -> str:
        """See Pictures."""
        return self.of.name(int(self.rows[row]))


@dataclass(frozen=True)
class PictureSet:
    """The splits of a data set that its files tell apart.

    Attributes:
        splits: split -> its images.
        classes: names by label.
    """

    splits: dict[str, Pictures]
    classes: Sequence[str]
