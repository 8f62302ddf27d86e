"""Images that test classifiers of ImageNet-1K: -A, -R, -Sketch, and -C with its corruptions and severities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.images.data_config import ImageConfig
from geo_lm4ve.images.formats.listing import Listed
from geo_lm4ve.images.formats.wnids import by_wnids, check_count, wnids
from geo_lm4ve.images.pictures import PictureSet
from geo_lm4ve.images.stores.opened import open_store
from geo_lm4ve.words import unknown

CORRUPTIONS = (
    "gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "snow",
    "frost", "fog", "brightness", "contrast", "elastic_transform", "pixelate", "jpeg_compression",
)  # fmt: skip
"""The 15 of ImageNet-C that its scores are means over."""
EXTRA = ("speckle_noise", "gaussian_blur", "spatter", "saturate")
"""Four more, for choosing hyper-parameters."""
SEVERITIES = (1, 2, 3, 4, 5)
GROUPS = ("", "noise", "blur", "weather", "digital", "extra")
"""Folders that the archives of ImageNet-C may be unpacked into."""


@dataclass
class VariantConfig(ImageConfig):
    """``WNID/…`` in a folder or archive, as the only split ``test``; labels count all 1,000 classes of ImageNet-1K.

    Attributes:
        allow_other_counts: accept another number of images.
    """

    called: ClassVar[str]
    count: ClassVar[int]

    allow_other_counts: bool = False

    @property
    def advice(self) -> str:
        """See ImageConfig.advice."""
        return f"set data.root to the folder of {self.called} (datasets/imagenet_variants says how to get it)"

    def splits(self) -> tuple[str, ...]:
        """See DataConfig.splits."""
        return ("test",)

    def title(self, classes: Sequence[str]) -> str:
        """What the authors call it."""
        return f"{self.called} ({self.size} x {self.size})"

    def benchmark(self, classes: Sequence[str]) -> str:
        """See ImageConfig.benchmark."""
        return "" if self.allow_other_counts else self.called

    def place_of_images(self) -> Path:
        """The folder or archive with the folders of classes."""
        return self.folder

    def pictures(self) -> PictureSet:
        """See ImageConfig.pictures."""
        store = open_store(self.place_of_images(), self.advice)
        images = by_wnids(store, wnids())
        check_count(store.place, self.called, len(images), self.count, self.allow_other_counts)
        return Listed({"test": images}, wnids()).pictures(store)


@register("data", "imagenet_a")
@dataclass
class ImageNetAConfig(VariantConfig):
    """ImageNet-A (Hendrycks et al., CVPR 2021): 7,500 photographs of 200 classes that a ResNet-50 gets wrong."""

    called: ClassVar[str] = "ImageNet-A"
    restricted: ClassVar[bool] = True
    count: ClassVar[int] = 7_500

    name: str = "imagenet_a"
    root: str = "datasets/imagenet_a/imagenet-a"


@register("data", "imagenet_r")
@dataclass
class ImageNetRConfig(VariantConfig):
    """ImageNet-R (Hendrycks et al., ICCV 2021): 30,000 renditions (art, toys, tattoos, …) of 200 classes."""

    called: ClassVar[str] = "ImageNet-R"
    restricted: ClassVar[bool] = True
    count: ClassVar[int] = 30_000

    name: str = "imagenet_r"
    root: str = "datasets/imagenet_r/imagenet-r"


@register("data", "imagenet_sketch")
@dataclass
class ImageNetSketchConfig(VariantConfig):
    """ImageNet-Sketch (Wang et al., NeurIPS 2019): 50,889 sketches of all 1,000 classes."""

    called: ClassVar[str] = "ImageNet-Sketch"
    count: ClassVar[int] = 50_889

    name: str = "imagenet_sketch"
    root: str = "datasets/imagenet_sketch/sketch"


@register("data", "imagenet_c")
@dataclass
class ImageNetCConfig(VariantConfig):
    """ImageNet-C (Hendrycks and Dietterich, ICLR 2019): ImageNet's val, corrupted; 224 x 224 pixels already.

    Attributes:
        corruption: one of CORRUPTIONS or EXTRA.
        severity: 1 to 5.
    """

    called: ClassVar[str] = "ImageNet-C"
    count: ClassVar[int] = 50_000

    name: str = "imagenet_c"
    root: str = "datasets/imagenet_c"
    share: float = 1.0
    corruption: str = CORRUPTIONS[0]
    severity: int = 1

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        super().__post_init__()
        if self.corruption not in (*CORRUPTIONS, *EXTRA):
            raise ConfigError("data.corruption: " + unknown("corruption", self.corruption, (*CORRUPTIONS, *EXTRA)))
        if self.severity not in SEVERITIES:
            raise ConfigError(f"data.severity={self.severity} must be one of {', '.join(map(str, SEVERITIES))}")

    def title(self, classes: Sequence[str]) -> str:
        """With corruption and severity."""
        return f"{self.called} {self.corruption} {self.severity} ({self.size} x {self.size})"

    def benchmark(self, classes: Sequence[str]) -> str:
        """See ImageConfig.benchmark: each corruption and severity is one."""
        return "" if self.allow_other_counts else f"{self.called} {self.corruption} {self.severity}"

    def place_of_images(self) -> Path:
        """The folder of the corruption and severity, in one of a group or not."""
        places = [self.folder / group / self.corruption / str(self.severity) for group in GROUPS]
        return next((place for place in places if place.is_dir()), places[0])
