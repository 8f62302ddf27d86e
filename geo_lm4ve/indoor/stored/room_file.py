"""A room in a file: plain arrays (safetensors), with its names and what it was made of beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import atomic_path, to_json
from geo_lm4ve.indoor.features import KINDS
from geo_lm4ve.indoor.objects import CLASSES
from geo_lm4ve.indoor.room import Room
from geo_lm4ve.reading import Fields, json_object, reader

_REMEDY = "delete it and prepare the data again"
_FARTHEST = 1e6
"""Metres, and the numbers of features: what is beyond is no room."""
_ROUNDED = 1e-4
_ARRAYS: dict[str, tuple[type, tuple[Any, ...]]] = {
    "points": (np.float32, ("n", 3)), "colors": (np.uint8, ("n", 3)), "normals": (np.float32, ("n", 3)),
    "instances": (np.int32, ("n",)), "boxes": (np.float32, ("k", 6)), "classes": (np.int64, ("k",)),
    "nyu40": (np.int64, ("k",)), "ids": (np.int64, ("k",)), "alignment": (np.float64, (4, 4)),
    "raw_center": (np.float64, (3,)), "multiview": (np.float32, ("n", KINDS["multiview"])),
}  # fmt: skip
"""Array -> its numbers and its shape."""


@dataclass(frozen=True)
class RoomRecord:
    """What a file says beside its arrays.

    Attributes:
        key: of what it was made of.
        facts: what was found, as JSON has it.
    """

    key: str
    facts: dict[str, Any]


def write_room(path: Path, room: Room, record: RoomRecord) -> None:
    """Write a room atomically."""
    from safetensors.numpy import save_file

    arrays = {name: value for name in _ARRAYS if (value := getattr(room, name)) is not None}
    about = {"name": room.name, "labels": room.labels, "key": record.key, "facts": record.facts}
    with atomic_path(path) as temporary:
        save_file(
            {name: np.ascontiguousarray(value) for name, value in arrays.items()}, temporary, {"room": to_json(about)}
        )


@reader(DataError, "a prepared room", _REMEDY)
def read_room(path: Path) -> Room:
    """A room; DataError where the file is damaged or holds anything that a room cannot be."""
    arrays, about = _read(path, tuple(_ARRAYS))
    sizes: dict[str, int] = {}
    for name, values in arrays.items():
        _check_shape(name, values, sizes)
    labels = tuple(about.texts("labels"))
    _check(arrays, len(labels))
    return Room(name=about.text("name"), labels=labels, **arrays)


@reader(DataError, "a prepared room", _REMEDY)
def read_record(path: Path) -> RoomRecord:
    """What a room was made of; its arrays are not read."""
    _, about = _read(path, ())
    return RoomRecord(about.text("key"), dict(about.fields("facts").values))


@reader(DataError, "a prepared room", _REMEDY)
def read_boxes(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(K, 6) boxes, (K,) labels and (K,) ids of the objects of a room; no point is read."""
    arrays, _ = _read(path, ("boxes", "classes", "ids"))
    sizes: dict[str, int] = {}
    for name, values in arrays.items():
        _check_shape(name, values, sizes)
    _check_objects(arrays)
    return arrays["boxes"], arrays["classes"], arrays["ids"]


def _read(path: Path, names: tuple[str, ...]) -> tuple[dict[str, np.ndarray], Fields]:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        there, about = set(file.keys()), (file.metadata() or {}).get("room", "")
        if lacking := [name for name in names if name not in there and name != "multiview"]:
            raise ValueError(f"it lacks {', '.join(lacking)}")
        arrays = {name: file.get_tensor(name) for name in names if name in there}
    return arrays, Fields(json_object(about))


def _check_shape(name: str, values: np.ndarray, sizes: dict[str, int]) -> None:
    """The numbers and the shape of an array; n and k must be the same everywhere."""
    kind, wanted = _ARRAYS[name]
    if values.dtype != kind or values.ndim != len(wanted):
        raise ValueError(f"{name} is {values.dtype} {values.shape}, not {np.dtype(kind)} {wanted}")
    for size, letter in zip(values.shape, wanted):
        if size != (sizes.setdefault(letter, size) if isinstance(letter, str) else letter):
            raise ValueError(f"{name} has the shape {values.shape}, wanted is {wanted} with {sizes}")


def _check(arrays: dict[str, np.ndarray], labels: int) -> None:
    """Values that the rest of the house relies on."""
    for name, values in arrays.items():
        if values.dtype.kind == "f" and not (np.abs(values) < _FARTHEST).all():
            raise ValueError(f"{name} has a number that is not finite, or far too large")
    if not len(arrays["points"]):
        raise ValueError("it has no point")
    if (np.linalg.norm(arrays["normals"], axis=1) > 1 + _ROUNDED).any():
        raise ValueError("normals has one that is longer than 1")
    objects = len(arrays["boxes"])
    if labels != objects:
        raise ValueError(f"it has {labels} labels of {objects} objects")
    _check_objects(arrays)
    if arrays["instances"].min() < -1 or arrays["instances"].max() >= objects:
        raise ValueError(f"instances name an object that is none of {objects}")


def _check_objects(arrays: dict[str, np.ndarray]) -> None:
    classes, ids = arrays["classes"], arrays["ids"]
    if len(classes) and (classes.min() < 0 or classes.max() >= len(CLASSES)):
        raise ValueError(f"classes has a label that is none of 0 to {len(CLASSES) - 1}")
    if len(ids) and (len(set(ids.tolist())) < len(ids) or ids.min() < 0):
        raise ValueError("ids has one twice, or a negative one")
    boxes = arrays["boxes"]
    if not (np.abs(boxes) < _FARTHEST).all() or (boxes[:, 3:] < 0).any():
        raise ValueError("boxes has a number that is not finite or far too large, or a negative size")
