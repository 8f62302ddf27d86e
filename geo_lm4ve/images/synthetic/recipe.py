"""What determines the generated images."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from geo_lm4ve.config import ConfigError, unknown
from geo_lm4ve.data.generated import Generated
from geo_lm4ve.geometry.solids.classes import SOLIDS

VERSION = 1
"""Raise it when images change: the same seed then gives others."""
SPLITS = ("train", "val", "test")
CLASSES = ("arch", "bolt", "bottle", "chair", "gear", "goblet", "mug", "spring", "stairs", "wheel")
MOST = 100_000
"""Images of a class and split that there are names for."""
SIZES = (16, 1024)
"""Sides of an image, in pixels: least and most."""


@dataclass(frozen=True)
class SyntheticImages:
    """Numbers of a set of generated images.

    Attributes:
        classes: names out of ``geometry.solids.classes.SOLIDS``.
        train, val, test: images of each class per split; an image does not depend on how many there are.
        pixels: rows and columns of an image.
        seed: of everything random.
        version: of the generator.
    """

    classes: list[str] = field(default_factory=lambda: list(CLASSES))
    train: int = 200
    val: int = 30
    test: int = 30
    pixels: int = 64
    seed: int = 0
    version: int = VERSION

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        for name in self.classes:
            if name not in SOLIDS:
                raise ConfigError(unknown("class of solids in data.classes", name, SOLIDS))
        if len(set(self.classes)) < max(len(self.classes), 2):
            raise ConfigError(f"data.classes={self.classes} must be at least two different classes of solids")
        if self.train < 1 or min(self.val, self.test) < 0 or max(self.train, self.val, self.test) > MOST:
            said = ", ".join(f"data.{split}={getattr(self, split)}" for split in SPLITS)
            raise ConfigError(f"{said} (images of each class) must be 0 to {MOST:,}, train at least 1")
        if not SIZES[0] <= self.pixels <= SIZES[1] or self.seed < 0:
            raise ConfigError(
                f"data.pixels={self.pixels} must be {SIZES[0]} to {SIZES[1]:,} and data.seed={self.seed} at least 0"
            )

    @property
    def counts(self) -> dict[str, int]:
        """Images of each split, all classes together."""
        return {split: len(self.classes) * getattr(self, split) for split in SPLITS if getattr(self, split)}

    @property
    def generated(self) -> Generated:
        """The folder of such images: whether it is there, and who may write into it."""
        return Generated("synthetic images", asdict(self), self.counts, "data=image_folder")
