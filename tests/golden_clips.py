"""Clips and images for which official codes gave the golden numbers."""

import torch
from golden_weights import noise


def clip(frames=16, size=224, items=1):
    """(items, 3, frames, size, size): waves with noise."""
    channel, time, row, column = torch.meshgrid(
        *(torch.arange(count, dtype=torch.float64) for count in (3, frames, size, size)), indexing="ij"
    )
    found = []
    for item in range(items):
        wave = torch.sin(0.11 * column + 0.07 * row + 0.6 * time + 1.3 * channel + item)
        wave = wave + 0.6 * torch.cos(0.05 * column - 0.13 * row - 0.3 * time + channel)
        found.append(wave + noise(wave.numel(), 4000 + item).reshape(wave.shape) / 2)
    return torch.stack(found).float()


def image(size=224, items=2):
    """(items, 3, size, size): the first frames of clips."""
    return clip(1, size, items)[:, :, 0]
