"""Synthetic images: ten classes of solids before clutter, generated on first use; for tests and first looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from geo_lm4ve.config import register
from geo_lm4ve.images.data_config import Crop, ImageConfig
from geo_lm4ve.images.pictures import PictureSet
from geo_lm4ve.images.synthetic.files import MASKS, image_files
from geo_lm4ve.images.synthetic.recipe import CLASSES, SyntheticImages
from geo_lm4ve.images.synthetic.write import prepare_images


@register("data", "synthetic_images")
@dataclass
class SyntheticImagesConfig(ImageConfig):
    """Generated pictures of solids with masks. Not a benchmark: say so beside every number.

    Attributes:
        classes: names of solids (``geometry/solids/classes.py``).
        train, val, test: images of each class to generate.
        pixels: rows and columns of a generated image.
        seed: of the generated images; the experiment's seed does not change them.
    """

    name: str = "synthetic_images"
    root: str = "datasets/synthetic_images/processed"
    size: int = 64
    share: float = 1.0
    crop: Crop = Crop.shift
    classes: list[str] = field(default_factory=lambda: [*CLASSES])
    train: int = 200
    val: int = 30
    test: int = 30
    pixels: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        super().__post_init__()
        _ = self.generated  # checks the ranges of its own

    @property
    def generated(self) -> SyntheticImages:
        """What determines the files."""
        return SyntheticImages([*self.classes], self.train, self.val, self.test, self.pixels, self.seed)

    def title(self, classes: Sequence[str]) -> str:
        """What reports call the data."""
        return f"synthetic images (generated, {len(classes)} classes, {self.size} x {self.size})"

    def splits(self) -> tuple[str, ...]:
        """See DataConfig.splits."""
        held_out = ("val",) if self.val_fraction and not self.val else ()
        return (*self.generated.counts, *held_out)

    def look(self) -> None:
        """See DataConfig.look: the files are there, or can be generated."""
        self.generated.generated.look(self.folder)

    def pictures(self) -> PictureSet:
        """The images, generated into ``root`` if nothing is there."""
        prepare_images(self.folder, self.generated)
        return image_files(self.folder)

    @property
    def beside(self) -> str:
        """See ImageConfig.beside."""
        return MASKS
