"""Images for tests of augmentation: smooth colours with a sharp box and some noise, so that every operator has work."""

import numpy as np
import torch
from PIL import Image


def made_images(count, height=40, width=56, seed=0):
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    images = []
    for _ in range(count):
        waves, phases = random.uniform(1, 9, (3, 2)), random.uniform(0, 6, 3)
        image = np.stack([120 + 90 * np.sin(waves[c, 0] * x + waves[c, 1] * y + phases[c]) for c in range(3)], -1)
        image[height // 4 : height // 2, width // 3 : width // 2] = random.uniform(0, 255, 3)
        images.append((image + random.normal(0, 2, image.shape)).clip(0, 255).astype(np.uint8))
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def pillow(image):
    return Image.fromarray(image.permute(1, 2, 0).numpy())


def tensor(image):
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)
