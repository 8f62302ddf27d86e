"""Synthetic images, generated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from geo_lm4ve.prepare.base import preparer
from geo_lm4ve.prepare.generated import GeneratedPreparer

if TYPE_CHECKING:
    from rich.console import RenderableType


@preparer
class SyntheticImagesPreparer(GeneratedPreparer):
    """Generates pictures of solids with masks."""

    name = "synthetic_images"
    summary = "generated pictures of solids with masks, 10 classes: 2,000 + 300 + 300 images of 64 x 64, no download"
    title = "generated images"
    numbers: ClassVar[dict[str, str]] = {
        "train": "images of each class to train on (default: 200)", "val": "to validate on (default: 30)",
        "test": "to test on (default: 30)", "pixels": "rows and columns of an image (default: 64)",
        "seed": "of the images (default: 0)",
    }  # fmt: skip

    def generate(self, root: Path) -> None:
        """See GeneratedPreparer.generate."""
        from geo_lm4ve.images.synthetic.recipe import SyntheticImages
        from geo_lm4ve.images.synthetic.write import prepare_images

        prepare_images(root, SyntheticImages(**self.given))

    def check(self, root: Path) -> RenderableType:
        """See Preparer.check: every image is read."""
        from geo_lm4ve.images.prepare.table import image_table

        return image_table(root)
