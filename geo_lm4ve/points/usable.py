"""Which of the points that files hold a batch can take: what a source keeps in memory, in the order of its batches."""

from __future__ import annotations

import enum
import math
from pathlib import Path

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.files import Clouds
from geo_lm4ve.points.order import fps_order, order_folder

POOL = 1200 / 1024
"""Points that farthest point sampling keeps for training per point of a batch (Point-BERT: 1,200 for 1,024)."""


class Sampling(enum.Enum):
    """Which of the stored points of a cloud a batch takes, in training / in evaluation."""

    fps_random = "random ones of the 1200/1024-fold farthest points / the farthest points"
    first = "the first ones / the first ones"
    first_shuffled = "the first ones in random order / the first ones"
    random = "random ones of all / the first ones"


def usable(clouds: Clouds, sampling: Sampling, points: int, root: Path, split: str) -> Clouds:
    """The clouds with the points that batches can use, in the order in which they take them.

    Args:
        clouds: as the files have them.
        sampling: of the points of a batch.
        points: of a cloud in a batch.
        root: folder of the files; the order of farthest points is kept beside it.
        split: that they are, for messages.

    Raises:
        DataError: they have fewer points than that.
    """
    available = clouds.points.shape[1]
    if available < points:
        raise DataError(f"{root}: {split} clouds have {available} points, data.points={points}")
    if sampling in (Sampling.first, Sampling.first_shuffled):
        return clouds.first(points)
    if sampling is Sampling.random:
        return clouds
    pool = min(available, math.ceil(points * POOL))
    return clouds.taken(fps_order(clouds.points, pool, order_folder(root), f"{root} ({split})"))
