"""Synthetic images, generated."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.prepare.base import Preparer, preparer
from geo_lm4ve.words import line

if TYPE_CHECKING:
    from rich.console import RenderableType

OPTIONS = {
    "train": "images of each class to train on (default: 200)", "val": "to validate on (default: 30)",
    "test": "to test on (default: 30)", "pixels": "rows and columns of an image (default: 64)",
    "seed": "of the images (default: 0)",
}  # fmt: skip


@preparer
class SyntheticImagesPreparer(Preparer):
    """Generates pictures of solids with masks; the data option also does so on first use.

    Attributes:
        given: option -> value, for those that the command line has.
    """

    name = "synthetic_images"
    summary = "generated pictures of solids with masks, 10 classes: 2,000 + 300 + 300 images of 64 x 64, no download"
    given: dict[str, Any]

    def __init__(self) -> None:
        self.given = {}

    def options(self, parser: argparse.ArgumentParser) -> None:
        """See Preparer.options."""
        own = parser.add_argument_group("generated images")
        for name, about in OPTIONS.items():
            own.add_argument(f"--{name}", type=int, metavar="N", help=about)

    def take(self, given: argparse.Namespace) -> None:
        """See Preparer.take."""
        super().take(given)
        self.given = {name: value for name in OPTIONS if (value := getattr(given, name)) is not None}

    def prepare(self, root: Path, source: Path | None) -> None:
        """See Preparer.prepare; there is nothing to take from a ``source``."""
        if source:
            raise DataError(f"{self.name} is generated: --from has no meaning here")
        from geo_lm4ve.images.synthetic.recipe import SyntheticImages
        from geo_lm4ve.images.synthetic.write import prepare_images

        prepare_images(root, SyntheticImages(**self.given))

    def check(self, root: Path) -> RenderableType:
        """See Preparer.check: every image is read."""
        from geo_lm4ve.images.prepare.table import image_table

        return image_table(root)

    def advice(self, root: Path) -> str:
        """See Preparer.advice."""
        changes = "".join(f" data.{name}={value}" for name, value in self.given.items())
        return line(f"to read it: data={self.name} data.root={shlex.quote(str(root))}{changes}")
