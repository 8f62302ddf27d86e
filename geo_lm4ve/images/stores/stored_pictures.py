"""Images that are files of a store."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Int64
from PIL import Image
from torch import Tensor

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.images.decode import decoded, decoded_mask, image_size
from geo_lm4ve.images.pictures import Pictures
from geo_lm4ve.images.stores.store import Store


@runtime_checkable
class OnDisk(Pictures, Protocol):
    """Pictures that are read and decoded anew whenever one is asked for."""

    def digest(self) -> str:
        """Changes when one of the files does."""

    def size(self, row: int) -> tuple[int, int]:
        """Width and height of an image, which is not decoded; DataError where its file is damaged."""

    def masked(self) -> bool:
        """Whether there are masks."""


@dataclass(frozen=True)
class StoredPictures:
    """See Pictures.

    Attributes:
        store: where the files lie.
        files: name of each image in it.
        labels: (n,) class of each.
        masks: name of the mask of each; empty: there are none.
    """

    store: Store
    files: Sequence[str]
    labels: Int64[Tensor, " n"]
    masks: Sequence[str] = ()

    def __len__(self) -> int:
        """See Pictures."""
        return len(self.files)

    def image(self, row: int) -> Image.Image:
        """See Pictures."""
        name = self.files[row]
        return decoded(self.store.where(name), self.store.read(name))

    def mask(self, row: int) -> Image.Image | None:
        """See Pictures; DataError where it is not as large as its image."""
        if not self.masks:
            return None
        name = self.masks[row]
        mask = decoded_mask(self.store.where(name), self.store.read(name))
        if mask.size != (size := self.size(row)):
            raise DataError(
                f"{self.store.where(name)} has {mask.width} x {mask.height} pixels, its image "
                f"{self.files[row]} has {size[0]} x {size[1]}: make them as large, or leave data.masks empty"
            )
        return mask

    def name(self, row: int) -> str:
        """See Pictures."""
        return self.files[row]

    def size(self, row: int) -> tuple[int, int]:
        """See OnDisk."""
        name = self.files[row]
        return image_size(self.store.where(name), self.store.read(name))

    def masked(self) -> bool:
        """See OnDisk."""
        return bool(self.masks)

    def digest(self) -> str:
        """See OnDisk."""
        digest = hashlib.sha256(str(self.store.place.resolve()).encode(errors="surrogateescape"))
        for text in self.store.stamp([*self.files, *self.masks]):
            digest.update(f"{text}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()
