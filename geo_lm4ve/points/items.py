"""Clouds of anybody's map-style data set (``parts/mapped.py``) as a batch."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from geo_lm4ve.points.batch import PointBatch


def collate_clouds(items: Sequence[Any], rows: Int64[Tensor, " b"]) -> PointBatch:
    """Labelled clouds as the batch that point-cloud encoders take.

    An item is a pair (points, label), or a mapping with the keys ``points`` and ``label``. Points are (N, 3) numbers in
    a tensor, an array or lists, N the same in all of a batch; label is a whole number from 0. Points are taken as they
    are: models expect clouds centred on the unit sphere, and ``geometry.normalize.normalize_unit_sphere`` in the data
    set puts them there, before any augmentation.

    Raises:
        ValueError: an item is of another kind; names its row.
    """
    pairs = [_pair(item, row) for item, row in zip(items, rows.tolist())]
    sizes = {len(points): row for (points, _), row in zip(pairs, rows.tolist())}
    if len(sizes) > 1:
        listed = ", ".join(f"row {row} has {size}" for size, row in sizes.items())
        raise ValueError(f"clouds of a batch must have one number of points, {listed}; take points[:N] in the data set")
    return PointBatch(torch.stack([points for points, _ in pairs]), torch.tensor([label for _, label in pairs]), rows)


def _pair(item: Any, row: int) -> tuple[Tensor, int]:
    if isinstance(item, Mapping):
        if missing := [key for key in ("points", "label") if key not in item]:
            raise ValueError(
                f"row {row} has no {' and no '.join(map(repr, missing))}, only {', '.join(map(str, item))}"
            )
        item = (item["points"], item["label"])
    if not isinstance(item, tuple | list) or len(item) != 2:
        raise ValueError(
            f"row {row} is a {type(item).__name__}, not a pair (points, label) or a mapping with those two keys"
        )
    points, label = item
    try:
        return _points(points, row), operator.index(label)
    except TypeError:
        raise ValueError(f"row {row}: label must be a whole number, it is {label!r:.80}") from None


def _points(points: Any, row: int) -> Float[Tensor, "n 3"]:
    try:
        with np.errstate(over="ignore"):
            tensor = points.detach().cpu() if isinstance(points, Tensor) else torch.from_numpy(np.array(points, "f4"))
    except (TypeError, ValueError):
        raise ValueError(f"row {row}: points must be (N, 3) numbers, not a {type(points).__name__} of others") from None
    if tensor.dim() != 2 or tensor.shape[1] != 3 or not len(tensor):
        raise ValueError(f"row {row}: points must be (N, 3), they are {tuple(tensor.shape)}")
    if not (good := (tensor := tensor.float()).isfinite().all(1)).all():
        point = int((~good).nonzero()[0])
        raise ValueError(f"row {row}, point {point} is {tensor[point].tolist()}: coordinates must be finite; drop it")
    return tensor
