"""ImageNet-C: mean accuracy and mean corruption error over corruptions and severities (arXiv 1903.12261, section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from geo_lm4ve.images.formats.imagenet_variants import SEVERITIES

ALEXNET = {
    "gaussian_noise": 0.886428, "shot_noise": 0.894468, "impulse_noise": 0.922640,
    "defocus_blur": 0.819880, "glass_blur": 0.826268, "motion_blur": 0.785948, "zoom_blur": 0.798360,
    "snow": 0.866816, "frost": 0.826572, "fog": 0.819324, "brightness": 0.564592,
    "contrast": 0.853204, "elastic_transform": 0.646056, "pixelate": 0.717840, "jpeg_compression": 0.606500,
}  # fmt: skip
"""Corruption -> top-1 error of AlexNet, mean over its five severities: what a corruption error is a multiple of.
As AugMix's evaluation has it (google-research/augmix, imagenet.py: "Raw AlexNet errors taken from
https://github.com/hendrycks/robustness")."""


@dataclass(frozen=True)
class Corruptions:
    """Top-1 accuracies of one model.

    Attributes:
        accuracy: corruption -> severity -> top-1 accuracy in [0, 1].
    """

    accuracy: Mapping[str, Mapping[int, float]]

    @property
    def missing(self) -> list[str]:
        """``corruption/severity`` of what the means lack."""
        return [
            f"{corruption}/{severity}"
            for corruption in ALEXNET
            for severity in SEVERITIES
            if severity not in self.accuracy.get(corruption, {})
        ]

    def mean(self, corruption: str) -> float | None:
        """Mean accuracy over all severities of one corruption; None where one is missing."""
        found = self.accuracy.get(corruption, {})
        return None if set(found) != set(SEVERITIES) else sum(found.values()) / len(SEVERITIES)

    def error(self, corruption: str) -> float | None:
        """The corruption error: the mean error as a multiple of AlexNet's; None where a severity is missing."""
        mean = self.mean(corruption)
        return None if mean is None or corruption not in ALEXNET else (1 - mean) / ALEXNET[corruption]

    @property
    def means(self) -> dict[str, float]:
        """``top_1_accuracy`` (what the paper's Table 1 calls C) and ``mce``, over all 15; {} where one is missing."""
        if self.missing:
            return {}
        accuracies = [self.accuracy[corruption][severity] for corruption in ALEXNET for severity in SEVERITIES]
        errors = [(1 - sum(self.accuracy[one].values()) / len(SEVERITIES)) / ALEXNET[one] for one in ALEXNET]
        return {"top_1_accuracy": sum(accuracies) / len(accuracies), "mce": sum(errors) / len(errors)}
