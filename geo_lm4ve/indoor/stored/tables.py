"""Small tables of a prepared folder: mean sizes of boxes, and how often each answer is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Int

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import write_json
from geo_lm4ve.indoor.objects import CLASSES
from geo_lm4ve.reading import Fields, json_object, reader

_REMEDY = "delete it and prepare the data again"
THINNEST = 1e-3
"""Metres that a mean size has at least: networks predict sizes as parts of it."""


@dataclass(frozen=True)
class MeanSizes:
    """Mean size of the boxes of each class.

    Attributes:
        sizes: (18, 3) [m]; of a class without a box that of all boxes.
        boxes: class -> how many boxes it has.
    """

    sizes: Float32[np.ndarray, "18 3"]
    boxes: Mapping[str, int]

    @classmethod
    def of(cls, boxes: Float[np.ndarray, "k 6"], classes: Int[np.ndarray, " k"]) -> MeanSizes:
        """Those of some boxes; DataError where there is none."""
        if not len(boxes):
            raise DataError(
                "no scan of train has an object, so boxes have no mean size; are aggregation.json and segs.json there?"
            )
        counts = np.bincount(classes, minlength=len(CLASSES))
        every = boxes[:, 3:].mean(0)
        means = [boxes[classes == label, 3:].mean(0) if counts[label] else every for label in range(len(CLASSES))]
        return cls(np.maximum(np.stack(means), THINNEST).astype(np.float32), dict(zip(CLASSES, counts.tolist())))

    @property
    def without(self) -> list[str]:
        """Classes that have no box."""
        return [name for name, count in self.boxes.items() if not count]

    def write(self, path: Path) -> None:
        """Write them atomically."""
        sizes = {name: [float(f"{one:.7g}") for one in row] for name, row in zip(CLASSES, self.sizes.tolist())}
        write_json(path, {"boxes": dict(self.boxes), "sizes": sizes})


@reader(DataError, "mean sizes of boxes", _REMEDY)
def read_mean_sizes(path: Path) -> MeanSizes:
    """What ``MeanSizes.write`` wrote; DataError for anything else."""
    content = Fields(json_object(path.read_bytes()))
    sizes, boxes = content.fields("sizes"), content.fields("boxes")
    rows = np.array([[_size(sizes, name, place) for place in range(3)] for name in CLASSES], np.float32)
    return MeanSizes(rows, {name: boxes.whole(name) for name in CLASSES})


def _size(sizes: Fields, name: str, place: int) -> float:
    row = sizes[name]
    if not isinstance(row, list) or len(row) != 3:
        raise ValueError(f"the size of {name!r} has not 3 numbers")
    value = Fields({name: row[place]}, sizes.prefix).number(name)
    if not 0 < value < 1e6:
        raise ValueError(f"the size of {name!r} is {value}, not a length in metres")
    return value


@reader(DataError, "counts of answers", _REMEDY)
def read_counts(path: Path) -> dict[str, int]:
    """Answer -> how often train gives it, in the order of the file; DataError for anything else."""
    content = Fields(json_object(path.read_bytes()))
    if not content.values:
        raise ValueError("it holds no answer")
    return {answer: content.whole(answer, 1) for answer in content.values}
