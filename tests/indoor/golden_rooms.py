"""Weights and rooms that need no download, for which the official code gave the golden numbers: all by an integer hash.

Everything is computed in float64 and rounded to float32 once; a float64 run takes the rounded values.
"""

from dataclasses import replace

import torch
from golden_weights import fill, noise

from geo_lm4ve.create import create_model
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.language.texts import Words
from geo_lm4ve.pretrained import load_official, to_official

BOXES = torch.tensor(
    [
        [1.2, 1.0, 0.4, 1.2, 0.8, 0.8],
        [4.5, 1.2, 0.5, 1.0, 1.0, 1.0],
        [3.0, 3.6, 0.35, 1.6, 0.9, 0.7],
        [5.2, 4.2, 0.9, 0.6, 0.6, 1.8],
    ],
    dtype=torch.float64,
)


def cloud(points, salt):
    """A room of 6 x 5 x 2.5 m: of 8 points 2 on the floor, 1 on each of two walls, 4 in one of four boxes."""
    u, v, w, _ = ((noise(4 * points, 1000 + salt) + 1) / 2).reshape(points, 4).unbind(1)
    thin, part, box = 0.02 * w, torch.arange(points)[:, None] % 8, BOXES[torch.arange(points) // 8 % 4]
    floor = torch.stack([6 * u, 5 * v, thin], 1)
    walls = torch.stack([thin, 5 * u, 2.5 * v], 1), torch.stack([6 * u, thin, 2.5 * v], 1)
    inside = box[:, :3] + box[:, 3:] * (torch.stack([u, v, w], 1) - 0.5)
    return torch.where(part < 2, floor, torch.where(part == 2, walls[0], torch.where(part == 3, walls[1], inside)))


def scans(points=4000, salt=10):
    """Two scans with heights, the second a tenth smaller; a point of the first is too near the origin to be sampled."""
    first, second = cloud(points, salt), 0.9 * cloud(points, salt + 1)
    first[7] = 0.01
    xyz = torch.stack([first, second])
    return xyz.float(), (xyz[..., 2:] - xyz[..., 2].quantile(0.0099, dim=1)[:, None, None]).float()


def words(*lengths, salt=0):
    vectors = torch.zeros(len(lengths), max(lengths), 300)
    for row, length in enumerate(lengths):
        values = 0.6 * noise(300 * length, 3000 + 10 * salt + row)
        vectors[row, :length] = values.reshape(length, 300).float()
    return Words(vectors, lengths)


def golden_batch(dtype=torch.float32, situated=False):
    """One question about each of two rooms."""
    points, heights = scans()
    numbers = torch.arange(18, dtype=torch.float64)
    sizes = torch.stack([0.3 + 0.1 * numbers, 0.4 + 0.05 * numbers, 0.5 + 0.03 * numbers], 1).float()
    question, situation = words(9, 13), words(17, 11, salt=1) if situated else None
    batch = RoomBatch(
        points.to(dtype), heights.to(dtype), ("height",), (0, 1), question, torch.arange(2), sizes.to(dtype)
    )
    return replace(batch, situations=situation)


def golden_model(name, dtype=torch.float32):
    """The published model with golden weights, loaded through the official names."""
    model = create_model(name).eval()
    load_official(model, fill(to_official(model)))
    return model.to(dtype)
