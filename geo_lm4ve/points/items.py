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
from geo_lm4ve.points.features import KINDS


def collate_clouds(items: Sequence[Any], rows: Int64[Tensor, " b"]) -> PointBatch:
    """Labelled clouds as the batch that point-cloud encoders take.

    An item is a pair (points, label), or a mapping with the keys ``points`` and ``label``. Points are (N, 3) numbers in
    a tensor, an array or lists, N the same in all of a batch; label is a whole number from 0. Points are taken as they
    are: models expect clouds centred on the unit sphere, and ``geometry.normalize.normalize_unit_sphere`` in the data
    set puts them there, before any augmentation. A mapping may have ``features`` as well: kind
    (``points.features.KINDS``) -> (N, C) numbers, the same kinds in all of a batch.

    Raises:
        ValueError: an item is of another kind; names its row.
    """
    pairs = [_pair(item, row) for item, row in zip(items, rows.tolist())]
    sizes = {len(points): row for (points, _), row in zip(pairs, rows.tolist())}
    if len(sizes) > 1:
        listed = ", ".join(f"row {row} has {size}" for size, row in sizes.items())
        raise ValueError(f"clouds of a batch must have one number of points, {listed}; take points[:N] in the data set")
    points, labels = torch.stack([points for points, _ in pairs]), torch.tensor([label for _, label in pairs])
    features, kinds = _features(items, points.shape[1], rows)
    return PointBatch(points, labels, rows, features=features, feature_names=kinds)


def _features(items: Sequence[Any], size: int, rows: Tensor) -> tuple[Float[Tensor, "b n c"] | None, tuple[str, ...]]:
    """Features of all items and their kinds, in the order of the first item."""
    given = [item.get("features") or {} if isinstance(item, Mapping) else {} for item in items]
    if not (kinds := tuple(given[0])) and not any(given):
        return None, ()
    parts = []
    for features, row in zip(given, rows.tolist()):
        if odd := [kind for kind in (*kinds, *features) if kind not in features or kind not in kinds]:
            raise ValueError(
                f"row {row} has the features {', '.join(features) or 'none'}, the first item of its batch "
                f"{', '.join(kinds) or 'none'}: {odd[0]} must be in all or in none"
            )
        parts.append(torch.cat([_feature(kind, features[kind], size, row) for kind in kinds], dim=-1))
    return torch.stack(parts), kinds


def _feature(kind: str, given: Any, size: int, row: int) -> Float[Tensor, "n c"]:
    if kind not in KINDS:
        raise ValueError(f"row {row}: a kind of feature is one of {', '.join(KINDS)}, not {kind!r:.80}")
    return _numbers(f"features[{kind!r}]", given, row, KINDS[kind], size)


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
        return _numbers("points", points, row, 3), operator.index(label)
    except TypeError:
        raise ValueError(f"row {row}: label must be a whole number, it is {label!r:.80}") from None


def _numbers(name: str, given: Any, row: int, width: int, size: int | None = None) -> Float[Tensor, "n c"]:
    """What an item has under ``name`` as a float32 tensor (N, width), N = ``size`` where it is known."""
    shape = f"({size or 'N'}, {width})"
    try:
        with np.errstate(over="ignore"):
            tensor = given.detach().cpu() if isinstance(given, Tensor) else torch.from_numpy(np.array(given, "f4"))
    except (TypeError, ValueError):
        raise ValueError(f"row {row}: {name} must be {shape} numbers, not a {type(given).__name__} of others") from None
    if tensor.dim() != 2 or tensor.shape[1] != width or not len(tensor) or len(tensor) != (size or len(tensor)):
        raise ValueError(f"row {row}: {name} must be {shape}, they are {tuple(tensor.shape)}")
    if not (good := (tensor := tensor.float()).isfinite().all(1)).all():
        point = int((~good).nonzero()[0])
        noun = "coordinates" if name == "points" else "features"
        raise ValueError(f"row {row}, point {point} is {tensor[point].tolist()}: {noun} must be finite; drop it")
    return tensor
