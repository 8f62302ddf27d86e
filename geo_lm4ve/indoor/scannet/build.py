"""Scans and questions -> a prepared folder that ``data=scanqa`` and ``data=sqa3d`` read; resumable."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.generated import claim
from geo_lm4ve.data.manifest import MANIFEST
from geo_lm4ve.files import atomic_path, remove, sweep_folder, to_json, write_json
from geo_lm4ve.indoor.scannet.making import Made, Making, Recipe
from geo_lm4ve.indoor.scannet.report import Report
from geo_lm4ve.indoor.stored.folder import ANSWERS, CLASSES, MEAN_SIZES, QUESTIONS, REPORT, SCANS, room_file
from geo_lm4ve.indoor.stored.questions import Asked
from geo_lm4ve.indoor.stored.room_file import read_boxes
from geo_lm4ve.indoor.stored.tables import MeanSizes
from geo_lm4ve.locks import lock
from geo_lm4ve.notice import say
from geo_lm4ve.reading import Fields, json_object, reader

MARKER = ".geo_lm4ve_rooms.json"
"""Lies in a prepared folder before anything else does: what is not ours is never written over."""
_STEP = "choose another one by --root"


def build(
    root: Path, asked: Asked, scans: Path, recipe: Recipe, *, workers: int = 0, allow_missing: float = 0.0,
    synthetic: bool = False, source: str = "",
) -> Report:  # fmt: skip
    """Rooms of all scans that questions are about, and everything beside them, in ``root``.

    ``root`` is missing, empty, or holds rooms of the same preparation, of which what is done stays. ``report.json`` is
    there before questions that are lost are an error; the manifest comes last.

    Args:
        root: the prepared folder.
        asked: the questions.
        scans: folder with a folder for each scan, as ScanNet has them.
        recipe: what determines the rooms.
        workers: processes.
        allow_missing: largest part of the questions whose scan may be missing or damaged.
        synthetic: the scans are generated.
        source: what the data are made of, said in titles; "" for the official ones.

    Raises:
        DataError: ``root`` holds something else, more questions than that are lost, or another process works on it.
    """
    if not scans.is_dir():
        raise DataError(f"there is no folder {scans}: --scans takes the one with a folder for each scan of ScanNet")
    content = recipe.content()
    _claim(root, {"data": asked.layout.name, **content}, scans)
    with (root / MARKER).open("rb") as marker:
        _lock(marker, root)
        sweep_folder(root)
        names = list(asked.scans())
        made = Making(root, scans.resolve(), recipe, content).all(names, workers)
        _remove_others(root, made)
        report = _report(root, asked, made, recipe)
        write_json(root / REPORT, report.content())
        for text in report.remarks():
            say(text)
        _check(report, root, scans, allow_missing)
        _write_tables(root, asked, report)
        write_json(root / MANIFEST, {"synthetic": synthetic, "source": source, "counts": report.counts()})
    return report


def _lock(marker: IO[bytes], root: Path) -> None:
    try:
        lock(marker)
    except BlockingIOError as error:
        raise DataError(f"another process prepares data in {root}: wait until it is done") from error


def recipe_of(root: Path) -> Fields | None:
    """The recipe of a folder that is ours; None for any other."""
    path = root / MARKER
    return _read_marker(path) if path.is_file() else None


@reader(DataError, "a marker of prepared rooms", "delete that folder and prepare the data again")
def _read_marker(path: Path) -> Fields:
    recipe = Fields(json_object(path.read_bytes())).fields("recipe")
    recipe.text("data")
    recipe.whole("points", 1)
    return recipe


def _claim(root: Path, wanted: dict[str, Any], scans: Path) -> None:
    if root.resolve().is_relative_to(scans.resolve()):
        raise DataError(f"{root} lies in {scans}, whose files are read: {_STEP}")
    if (stored := recipe_of(root)) is None:
        return claim(root, MARKER, {"recipe": wanted}, "prepared rooms", _STEP)
    if differing := [key for key in wanted if stored.values.get(key) != wanted[key]]:
        raise DataError(
            f"{root} holds rooms of another preparation: "
            + ", ".join(f"{key} was {to_json(stored.values.get(key))[:200]}" for key in differing)
            + f", asked for is {', '.join(to_json(wanted[key])[:200] for key in differing)}; delete that folder, or "
            + _STEP
        )


def _remove_others(root: Path, made: Mapping[str, Made]) -> None:
    """What is there is not whole from here on; rooms of an earlier state go."""
    remove(root / MANIFEST)
    kept = {room_file(root, name).name for name, one in made.items() if one.facts}
    for path in sorted((root / SCANS).glob("*")):
        if path.name not in kept and not path.name.startswith("."):
            remove(path)


def _report(root: Path, asked: Asked, made: Mapping[str, Made], recipe: Recipe) -> Report:
    trained = {one.scene for one in asked.splits[asked.layout.splits[0]].questions}
    boxes, classes, ids = [np.empty((0, 6), np.float32)], [np.empty(0, np.int64)], {}
    for name, one in made.items():
        if one.facts is None:
            continue
        found = read_boxes(room_file(root, name))
        ids[name] = frozenset(found[2].tolist())
        if name in trained:
            boxes.append(found[0])
            classes.append(found[1])
    if trained and all(made[name].facts is None for name in trained):
        first = made[min(trained)]
        raise DataError(
            f"none of the {len(trained):,} scans of train can be read; the first: {first.name}: {first.reason}"
        )
    means = MeanSizes.of(np.concatenate(boxes), np.concatenate(classes))
    return Report(asked, made, means, ids, recipe.labels.source)


def _check(report: Report, root: Path, scans: Path, allow: float) -> None:
    if report.lost > allow * report.questions:
        name, (cost, why) = next(iter(report.missing.items()))
        raise DataError(
            f"{len(report.missing):,} of {len(report.made):,} scans are missing in {scans} or damaged, {report.lost:,} "
            f"of {report.questions:,} questions are about them, more than the {allow:.1%} that --allow-missing allows; "
            f"{root / REPORT} names them, the dearest is {name} ({cost:,} questions): {why}. Get them, or allow more: "
            "what is done stays"
        )


def _write_tables(root: Path, asked: Asked, report: Report) -> None:
    """Everything beside the rooms; official files as they are."""
    for target, path in asked.copies.items():
        with atomic_path(root / target) as temporary:
            shutil.copyfile(path, temporary)
    kept = {target.name for target in asked.copies}
    for path in [*sorted((root / QUESTIONS).glob("*")), root / CLASSES]:
        if path.name not in kept:
            remove(path)
    train = asked.splits[asked.layout.splits[0]]
    counts = Counter(answer for one in train.questions for answer in one.answers)
    write_json(root / ANSWERS, dict(sorted(counts.items())))
    report.means.write(root / MEAN_SIZES)
