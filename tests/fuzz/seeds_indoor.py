"""Scans in ScanNet's layout, and what a prepared folder holds, each read as far as a batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from mutate import BYTES
from mutate_hdf5 import HDF5
from mutate_packed import SAFETENSORS
from mutate_text import JSON, TEXT
from scans import ROOM, write_all, write_scan
from seed import Seed

from geo_lm4ve.indoor.room import Room
from geo_lm4ve.indoor.scannet.build import MARKER, build, recipe_of
from geo_lm4ve.indoor.scannet.labels import LabelMap, built_in, read_label_map
from geo_lm4ve.indoor.scannet.making import Recipe
from geo_lm4ve.indoor.scannet.scan import ScanFiles, read_scan
from geo_lm4ve.indoor.stored.folder import ANSWERS, MEAN_SIZES, room_file
from geo_lm4ve.indoor.stored.questions import SCANQA, find_questions
from geo_lm4ve.indoor.stored.room_file import read_boxes, read_record, read_room
from geo_lm4ve.options import load_option

NAME = "scene0000_00"
FEATURES = "features.h5"


def _scan(which: Callable[[ScanFiles], Path], form: str = "binary_little_endian") -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        write_scan(folder, NAME, form=form)
        return which(ScanFiles(folder, NAME))

    return write


def _looked_at(room: Room) -> Room:
    """Everything that others rely on."""
    for values in (room.points, room.normals, room.boxes, room.alignment, room.raw_center):
        assert np.isfinite(values).all(), "numbers that are not finite"
    assert len(room) > 0
    assert ((room.instances >= -1) & (room.instances < len(room.boxes))).all()
    assert len(room.boxes) == len(room.classes) == len(room.ids) == len(room.nyu40) == len(room.labels)
    assert (np.linalg.norm(room.normals, axis=1) < 1.001).all()
    return room


def _read_scan(path: Path) -> Room:
    return _looked_at(read_scan(ScanFiles(path.parent.parent, NAME), built_in(), 100)[0])


def _features(folder: Path) -> Path:
    write_scan(folder, NAME)
    with h5py.File(folder / FEATURES, "w") as file:
        file.create_dataset(NAME, data=np.ones((54 * len(ROOM), 128), np.float32), chunks=True, compression="gzip")
    return folder / FEATURES


def _read_features(path: Path) -> Room:
    room, _ = read_scan(ScanFiles(path.parent, NAME), built_in(), 100, path)
    assert room.multiview is not None
    assert room.multiview.shape == (100, 128)
    assert np.isfinite(room.multiview).all()
    return _looked_at(room)


def _labels(folder: Path) -> Path:
    rows = [f"{number}\t{name}\t{name}\t1\t{number % 40 + 1}" for number, name in enumerate(("wall", "chair", "gizmo"))]
    (folder / "labels.tsv").write_text("\n".join(("id\traw_category\tcategory\tcount\tnyu40id", *rows)) + "\n")
    return folder / "labels.tsv"


def _read_labels(path: Path) -> LabelMap:
    labels = read_label_map(path)
    assert all(1 <= number <= 40 for number in labels.classes.values())
    return labels


def _prepared(which: Callable[[Path], Path]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        qa, scans = write_all(folder)
        build(folder / "out", find_questions(SCANQA, qa), scans, Recipe(built_in(), 100))
        return which(folder / "out")

    return write


def _read_prepared(path: Path) -> None:
    root = path.parent if path.suffix == ".json" else path.parent.parent
    data = load_option("data", "scanqa", {"root": str(root), "points": 50, "features": ["color", "height"]}).build()
    for batch in data.loader("train", batch_size=1, train=True, seed=0).batches(0):
        batch.settled()
        assert (batch.mean_sizes > 0).all()
        assert batch.objects.boxes.isfinite().all()
        assert ((batch.truth.answers >= 0) & (batch.truth.answers <= 1)).all()


def _read_room(path: Path) -> None:
    """The room of somebody who asks for its parts."""
    read_record(path)
    read_boxes(path)
    _looked_at(read_room(path))
    _read_prepared(path)


_SCANNET, _STORED = "geo_lm4ve.indoor.scannet", "geo_lm4ve.indoor.stored"
_ROOM = tuple(f"{_STORED}.room_file.{name}" for name in ("read_room", "read_record", "read_boxes"))
SEEDS = (
    Seed("scan ply", (f"{_SCANNET}.ply.read_ply",), _scan(lambda files: files.mesh), _read_scan, (*BYTES, *TEXT)),
    Seed("scan ascii ply", (f"{_SCANNET}.ply.read_ply",), _scan(lambda files: files.mesh, "ascii"), _read_scan, TEXT),
    Seed(
        "scan objects", (f"{_SCANNET}.annotations.read_aggregation",), _scan(lambda files: files.objects), _read_scan,
        JSON,
    ),
    Seed(
        "scan segments", (f"{_SCANNET}.annotations.read_segments",), _scan(lambda files: files.segments), _read_scan,
        JSON,
    ),
    Seed(
        "scan alignment", (f"{_SCANNET}.alignment.read_alignment",), _scan(lambda files: files.facts), _read_scan, TEXT,
    ),
    Seed("scan features", (f"{_SCANNET}.multiview.read_multiview",), _features, _read_features, HDF5),
    Seed("label table", (f"{_SCANNET}.labels.read_label_map",), _labels, _read_labels, TEXT),
    Seed("room", _ROOM, _prepared(lambda root: room_file(root, NAME)), _read_room, SAFETENSORS),
    Seed(
        "mean sizes", (f"{_STORED}.tables.read_mean_sizes",), _prepared(lambda root: root / MEAN_SIZES), _read_prepared,
        JSON,
    ),
    Seed("counts", (f"{_STORED}.tables.read_counts",), _prepared(lambda root: root / ANSWERS), _read_prepared, JSON),
    Seed(
        "marker of rooms", (f"{_SCANNET}.build._read_marker",), _prepared(lambda root: root / MARKER),
        lambda path: recipe_of(path.parent), JSON,
    ),
)  # fmt: skip
