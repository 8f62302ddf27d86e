"""Boxes of objects: what a prediction points at, and where the objects of a scan are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.files.json_text import strict_json
from geo_lm4ve.answering.questions import Question
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.npy import read_npy
from geo_lm4ve.reading import Fields, reader
from geo_lm4ve.words import component

SceneBoxes: TypeAlias = dict[int, Float64[np.ndarray, " 6"]]
"""Object id -> centre x, y, z and size x, y, z [m]."""

_ROW = 8
"""Columns of ScanQA's box files: centre, size, class, object id."""


def box_of(value: Any, what: str) -> Float64[np.ndarray, " 6"]:
    """Centre and size of the box round 8 corners, as ScanQA's submissions have it.

    Args:
        value: 8 triples of numbers.
        what: it is, in the message.

    Raises:
        ValueError: it is something else, or not finite.
    """
    numbers = value if isinstance(value, list) else []
    flat = [one for corner in numbers if isinstance(corner, list) for one in corner]
    whole = all(isinstance(one, int | float) and not isinstance(one, bool) for one in flat)
    if len(numbers) != 8 or len(flat) != 24 or not whole or any(len(corner) != 3 for corner in numbers):
        raise ValueError(f"{what} is {value!r:.60}, not 8 corners of 3 numbers each (or [] for no box)")
    corners = np.array(numbers, dtype=np.float64)
    if not np.isfinite(corners).all():
        raise ValueError(f"{what} has a number that is not finite; write [] for no box")
    import torch  # most answers have no box

    from geo_lm4ve.geometry.boxes import box_of_corners

    return box_of_corners(torch.from_numpy(corners)).numpy()


def read_boxes(place: Path, scenes: Iterable[str]) -> dict[str, SceneBoxes]:
    """Scene -> boxes of its objects, in the frame of the predictions.

    Args:
        place: folder of ``<scan>_aligned_bbox.npy`` (ScanQA's ``scannet_data``), or a JSON file
            ``{scan: {"locs": [[cx, cy, cz, dx, dy, dz], ...]}}``, where the place in the list is the object id.
        scenes: names of scans.

    Raises:
        DataError: a file is missing or something else; a scan has no boxes.
    """
    if place.is_dir():
        return {scene: read_box_rows(place / f"{component(scene)}_aligned_bbox.npy") for scene in dict.fromkeys(scenes)}
    known = read_box_lists(place)
    if absent := [scene for scene in dict.fromkeys(scenes) if scene not in known]:
        raise DataError(
            f"{place} has no boxes of {len(absent):,} scans ({', '.join(absent[:3])}, ...); leave --boxes out"
        )
    return known


@reader(DataError, "the boxes of a scan", "make it with ScanQA's batch_load_scannet_data.py")
def read_box_rows(path: Path) -> SceneBoxes:
    """Boxes of one scan as ScanQA's preparation stores them: rows of centre, size, class, object id."""
    rows = read_npy(path)
    if rows.ndim != 2 or rows.shape[1] != _ROW:
        raise ValueError(f"it has the shape {rows.shape}, not (objects, {_ROW})")
    rows = rows.astype(np.float64)
    if not np.isfinite(rows).all() or (rows[:, 7] != rows[:, 7].round()).any():
        raise ValueError("it has a number that is not finite, or an object id that is not whole")
    return {int(row[7]): row[:6] for row in rows}


@reader(DataError, "boxes of scans", 'it holds {scan: {"locs": [[cx, cy, cz, dx, dy, dz], ...]}}')
def read_box_lists(path: Path) -> dict[str, SceneBoxes]:
    """Scene -> boxes of a JSON file; see ``read_boxes``."""
    value = strict_json(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict) or not all(isinstance(scene, dict) for scene in value.values()):
        raise ValueError("it is no mapping of scans to mappings")
    return {name: _of_list(Fields(scene, f"{name}: ")["locs"], name) for name, scene in value.items()}


def _of_list(value: Any, name: str) -> SceneBoxes:
    boxes = np.array(value, dtype=np.float64) if value != [] else np.empty((0, 6))
    if boxes.ndim != 2 or boxes.shape[1] != 6 or not np.isfinite(boxes).all():
        raise ValueError(f"{name}: locs is no list of boxes of 6 finite numbers")
    return dict(enumerate(boxes))


def targets(questions: Iterable[Question], boxes: Mapping[str, SceneBoxes]) -> list[list[Float64[np.ndarray, " 6"]]]:
    """Boxes of the objects of each question, the first first; [] where the annotations name none.

    Raises:
        DataError: an object has no box.
    """
    return [[_target(question, one, boxes) for one in question.object_ids] for question in questions]


def _target(question: Question, number: int, boxes: Mapping[str, SceneBoxes]) -> Float64[np.ndarray, " 6"]:
    if number not in boxes[question.scene]:
        raise DataError(
            f"question {question.id!r} is about object {number} of {question.scene}, which has no box there; are these "
            "the boxes of all objects?"
        )
    return boxes[question.scene][number]
