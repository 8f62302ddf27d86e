"""What lies beside prepared clouds, and the lists of a release of clouds as text."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import trimesh
from mutate_text import JSON, TEXT
from seed import Seed

from geo_lm4ve.points.prepare.build import MARKER, recipe_of
from geo_lm4ve.points.prepare.folder import Folder
from geo_lm4ve.points.prepare.resampled import list_resampled
from geo_lm4ve.points.prepare.shards import read_record

KINDS = ("chair", "night_stand")


def _prepared(folder: Path, source: Path) -> None:
    for kind in KINDS:
        (source / kind).mkdir(parents=True)
        for number in range(2):
            trimesh.creation.box(extents=(1, 2, 3 + number)).export(source / kind / f"{number}.off")
    (source / "chair" / "broken.stl").write_bytes(b"solid")
    preparer = Folder()
    preparer.points, preparer.allow_failed = 16, 1.0
    preparer.prepare(folder, source)


def _record(folder: Path) -> Path:
    _prepared(folder, folder.with_name(folder.name + "_meshes"))
    shutil.rmtree(folder.with_name(folder.name + "_meshes"))
    return folder / "ply_data_train0.json"


def _marker(folder: Path) -> Path:
    return _record(folder).with_name(MARKER)


def _read_record(path: Path) -> None:
    record = read_record(path)
    assert all(isinstance(value, str) for row in record.rows for value in (row.file, row.kind, row.digest))
    assert record.file in ("", "ply_data_train0.h5"), "a record leads elsewhere"
    record.holds(path.parent)


def _read_marker(path: Path) -> None:
    recipe = recipe_of(path.parent)
    assert recipe is not None
    assert recipe.whole("points") > 0


def _lists(folder: Path) -> Path:
    (folder / "modelnet10_shape_names.txt").write_text("\n".join(KINDS) + "\n")
    for split, first in (("test", 10), ("train", 1)):
        names = [f"{kind}_{first + number:04}" for kind in KINDS for number in range(4)]
        (folder / f"modelnet10_{split}.txt").write_text("\n".join(names) + "\n")
    return folder / "modelnet10_train.txt"


def _read_lists(path: Path) -> Any:
    listing = list_resampled(path.parent, "modelnet10")
    for item in listing.items:
        if item.path.resolve().parent.parent != path.parent.resolve():
            raise AssertionError(f"{item.path} lies elsewhere")
    return listing


SEEDS = (
    Seed("record of clouds", ("geo_lm4ve.points.prepare.shards.read_record",), _record, _read_record, JSON),
    Seed("marker of clouds", ("geo_lm4ve.points.prepare.build._read_marker",), _marker, _read_marker, JSON),
    Seed("lists of clouds", ("geo_lm4ve.points.prepare.resampled.read_lines",), _lists, _read_lists, TEXT),
)  # fmt: skip
