"""Images in memory."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image


@dataclass
class Held:
    """Pictures (``images/pictures.py``) made of arrays."""

    arrays: list
    labels: torch.Tensor
    masks: list | None = None

    def __len__(self):
        return len(self.arrays)

    def image(self, row):
        return Image.fromarray(self.arrays[row])

    def mask(self, row):
        return None if self.masks is None else Image.fromarray(self.masks[row])

    def name(self, row):
        return f"{row}.png"


def noise(count, width=40, height=30, classes=3, masked=False):
    """``count`` images of noise, each with a mask of its left half if asked for."""
    random = np.random.default_rng(0)
    arrays = [random.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(count)]
    half = np.zeros((height, width), np.uint8)
    half[:, : width // 2] = 255
    return Held(arrays, torch.arange(count) % classes, [half] * count if masked else None)
