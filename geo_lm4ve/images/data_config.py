"""The config of a data set of images: the base of all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from omegaconf import MISSING

from geo_lm4ve.config import ConfigError
from geo_lm4ve.images.augment.erasing import Erasing
from geo_lm4ve.images.augment.jitter import Jitter
from geo_lm4ve.images.augment.mixing import Mixing
from geo_lm4ve.images.augment.policy import RandAugment
from geo_lm4ve.images.batch import ImageBatch
from geo_lm4ve.images.loader import Window
from geo_lm4ve.images.own_images import OwnImages
from geo_lm4ve.images.pictures import PictureSet
from geo_lm4ve.images.recipe import Recipe
from geo_lm4ve.images.views import MiddleWindow, RandomWindow, ShiftedWindow
from geo_lm4ve.parts.data import DataConfig, DataError

if TYPE_CHECKING:
    from geo_lm4ve.images.source import ImageSource

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Crop = Enum("Crop", ["window", "shift", "middle"])
"""What training sees of an image: a random window, resized; its middle, shifted within a black border; its middle."""


@dataclass
class ImageConfig(DataConfig):
    """Images with one class each.

    Attributes:
        root: folder or file of the data.
        size: rows and columns of an image in a batch.
        share: of the shorter side that evaluation sees in the middle of an image (timm's crop_pct).
        mean, std: of red, green and blue in [0, 1], by which images are normalised.
        crop: what training sees of an image.
        least_area: smallest window as a share of the image (``crop=window``).
        border: pixels by which the middle is shifted at most (``crop=shift``).
        flip: probability in training that an image is mirrored left to right.
        randaugment: timm's text of a RandAugment policy (DeiT: ``rand-m9-mstd0.5-inc1``); "": none.
        jitter: brightness, contrast and colour change by factors within 1 +- this; 0: they do not. Without
            ``randaugment`` only, as in timm.
        erasing: probability that a rectangle of an image becomes noise (DeiT: 0.25).
        mixup: alpha of mixup (DeiT: 0.8); 0: none.
        cutmix: alpha of cutmix (DeiT: 1.0); 0: none.
        mix_probability: that a batch is mixed, where ``mixup`` or ``cutmix`` is above 0.
        mix_switch: probability of cutmix where both are.
        repeats: views of one image in an epoch of training, which shows as many images as the split has, all together
            (repeated augmentation; DeiT: 3).
        val_fraction: part of every class of train held out as ``val`` (the same for every seed) where the files have
            none; 0: no ``val``.
        limit: at most so many images of every split, for debugging; they are not kept.
        cache_gib: GiB of pixels up to which a split is decoded once and kept in the user's cache; 0: it is decoded
            whenever an image is asked for. No pixel changes.
    """

    gives: ClassVar[type | None] = ImageBatch
    restricted: ClassVar[bool] = False
    """Scores of classes that no image has do not count."""

    root: str = MISSING
    size: int = 224
    share: float = 0.875
    mean: list[float] = field(default_factory=lambda: [*IMAGENET_MEAN])
    std: list[float] = field(default_factory=lambda: [*IMAGENET_STD])
    crop: Crop = Crop.window
    least_area: float = 0.08
    border: int = 4
    flip: float = 0.5
    randaugment: str = ""
    jitter: float = 0.0
    erasing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    mix_probability: float = 1.0
    mix_switch: float = 0.5
    repeats: int = 1
    val_fraction: float = 0.1
    limit: int | None = None
    cache_gib: float = 2.0

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        super().__post_init__()
        for key in ("size", "border", "repeats"):
            if getattr(self, key) < 1:
                raise ConfigError(f"data.{key}={getattr(self, key)} must be at least 1")
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"data.limit={self.limit} must be at least 1")
        if not 0 <= self.cache_gib < float("inf"):
            raise ConfigError(f"data.cache_gib={self.cache_gib} must be a number of GiB, or 0")
        for key in ("share", "least_area"):
            if not 0 < getattr(self, key) <= 1:
                raise ConfigError(f"data.{key}={getattr(self, key)} must be above 0 and at most 1")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ConfigError(
                f"data.mean={self.mean} and data.std={self.std} must be three numbers each, the latter above 0"
            )
        if not 0 <= self.val_fraction < 1:
            raise ConfigError(f"data.val_fraction={self.val_fraction} must be in [0, 1)")
        self._check_augmentation()

    def _check_augmentation(self) -> None:
        for key in ("flip", "erasing", "mix_probability", "mix_switch"):
            if not 0 <= getattr(self, key) <= 1:
                raise ConfigError(f"data.{key}={getattr(self, key)} is a probability: it must be in [0, 1]")
        for key in ("jitter", "mixup", "cutmix"):
            if not 0 <= getattr(self, key) < math.inf:
                raise ConfigError(f"data.{key}={getattr(self, key)} must be at least 0, and finite")
        if self.randaugment and self.jitter:
            raise ConfigError(
                f"data.randaugment={self.randaugment} changes colours itself, data.jitter={self.jitter} would do so "
                "again: set one of them (timm, and so DeiT and the paper, leave the jitter out where there is a policy)"
            )
        if self.randaugment:
            RandAugment.parse(self.randaugment, self.mean)

    @property
    def folder(self) -> Path:
        """``root`` as a path."""
        return Path(self.root).expanduser()

    @property
    def window(self) -> Window:
        """What training sees of an image."""
        if self.crop is Crop.window:
            return RandomWindow(self.size, self.least_area)
        return ShiftedWindow(self.middle, self.border if self.crop is Crop.shift else 0)

    @property
    def middle(self) -> MiddleWindow:
        """What evaluation sees of it."""
        return MiddleWindow(self.size, self.share)

    @property
    def recipe(self) -> Recipe:
        """What training changes in it."""
        policy = RandAugment.parse(self.randaugment, self.mean) if self.randaugment else None
        mixing = Mixing(self.mixup, self.cutmix, self.mix_probability, self.mix_switch)
        return Recipe(
            (*self.mean,), (*self.std,), self.flip,
            colours=policy or (Jitter(self.jitter) if self.jitter else None),
            erasing=Erasing(self.erasing) if self.erasing else None,
            mixing=mixing if self.mixup or self.cutmix else None,
        )  # fmt: skip

    def title(self, classes: Sequence[str]) -> str:
        """What reports call the data with these classes."""
        return f"images of {self.folder.name} ({len(classes)} classes, {self.size} x {self.size})"

    def benchmark(self, classes: Sequence[str]) -> str:
        """See DataInfo.benchmark, of the data with these classes."""
        return ""

    def pictures(self) -> PictureSet:
        """The images that the files hold, none of them read yet; DataError where they are missing or damaged."""
        raise NotImplementedError

    def look(self) -> None:
        """See DataConfig.look: the folder or file is there."""
        if not self.folder.exists():
            raise DataError(f"there is no {self.folder.absolute()}: {self.advice}")

    @property
    def advice(self) -> str:
        """How to get the data; ends the message about a missing folder."""
        return "set data.root to the folder of the images"

    def place(self) -> str:
        """See DataConfig.place."""
        return str(self.folder.resolve())

    def own(self) -> OwnImages:
        """See DataConfig.own: image files, prepared as those of the test split are."""
        return OwnImages(self.middle, self.recipe, self.beside)

    @property
    def beside(self) -> str:
        """Suffix of masks beside images; "" where there are none."""
        return ""

    def build(self) -> ImageSource:
        """The data source; DataError when files are missing, damaged or not of the expected number."""
        from geo_lm4ve.images.source import ImageSource

        return ImageSource(self)
