"""Image files of one's own as samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image

from geo_lm4ve.data.found import Found, find
from geo_lm4ve.images.batch import ImageBatch
from geo_lm4ve.images.decode import SUFFIXES, read_image
from geo_lm4ve.images.recipe import Recipe
from geo_lm4ve.images.views import MiddleWindow, pixels_of
from geo_lm4ve.parts.own_files import OwnFiles


@dataclass(frozen=True)
class OwnImage:
    """What a model sees of an image, and what its file is called."""

    seen: Image.Image
    name: str


@dataclass
class OwnImages(OwnFiles):
    """See OwnFiles.

    Attributes:
        middle: what is seen of an image.
        recipe: how it is normalised.
        masks: suffix of masks beside images, which are no images; "": there are none.
    """

    middle: MiddleWindow
    recipe: Recipe
    masks: str = ""

    def find(self, given: Sequence[Path]) -> Found:
        """Image files, those of folders by their suffixes, without the masks beside them."""
        found = find(given, SUFFIXES)
        if not self.masks:
            return found
        images = {path.with_suffix("") for path in found.files if not path.name.endswith(self.masks)}
        masks = {
            path for path in found.files if path.name.endswith(self.masks) and _unmasked(path, self.masks) in images
        }
        return replace(found, files=[path for path in found.files if path not in masks])

    def sample(self, path: Path) -> OwnImage:
        """The middle of the image in a file; DataError where it cannot be read."""
        return OwnImage(self.middle(read_image(path)), path.name)

    def batch(self, samples: Sequence[OwnImage]) -> ImageBatch:
        """The images; nobody knows their labels."""
        pixels = self.recipe.normalised(pixels_of([sample.seen for sample in samples]))
        names = tuple(sample.name for sample in samples)
        return ImageBatch(pixels, torch.full((len(samples),), -1), torch.arange(len(samples)), names)


def _unmasked(mask: Path, suffix: str) -> Path:
    """What the image of a mask is called without its suffix."""
    return mask.with_name(mask.name.removesuffix(suffix))
