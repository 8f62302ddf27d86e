"""A prepared folder as tables: questions of each split, boxes of each class."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rich.console import Group
from rich.table import Table

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.manifest import data_manifest
from geo_lm4ve.indoor.objects import CLASSES
from geo_lm4ve.indoor.room import Room
from geo_lm4ve.indoor.scannet.build import recipe_of
from geo_lm4ve.indoor.stored.folder import ANSWERS, MEAN_SIZES, room_file
from geo_lm4ve.indoor.stored.questions import Layout
from geo_lm4ve.indoor.stored.room_file import read_room
from geo_lm4ve.indoor.stored.tables import read_counts, read_mean_sizes
from geo_lm4ve.invocation import command
from geo_lm4ve.notice import progress
from geo_lm4ve.words import marked


def room_table(root: Path, layout: Layout) -> Group:
    """Read every room and every question of a folder and count them.

    Raises:
        DataError: the folder is none of ours, its preparation did not end, or something in it is damaged.
    """
    if (recipe := recipe_of(root)) is None or recipe.text("data") != layout.name:
        raise DataError(f"{root.absolute()} holds no rooms that {command('prepare')} {layout.name} has made")
    if not (counts := data_manifest(root).counts):
        raise DataError(f"the preparation of {root} did not end: run the same command again")
    answers, means = read_counts(root / ANSWERS), read_mean_sizes(root / MEAN_SIZES)
    table = Table(
        "split", "questions", "with a room", "rooms", "with an answer of train", title=marked((root, "table.title"))
    )
    scans: dict[str, None] = {}
    for split in layout.there(root):
        asked = layout.read(root, split).questions
        mine = {one.scene: None for one in asked if room_file(root, one.scene).is_file()}
        there = [one for one in asked if one.scene in mine]
        if len(there) != counts.get(split):
            raise DataError(
                f"{root} has rooms for {len(there):,} questions of {split}, its manifest says {counts.get(split)}"
            )
        known = sum(any(answer in answers for answer in one.answers) for one in there)
        shown = f"{known:,}" if there and there[0].answers else "no answers given"
        table.add_row(split, f"{len(asked):,}", f"{len(there):,}", f"{len(mine):,}", shown)
        scans |= mine
    points, boxes = [], Counter[int]()
    for scan in progress(list(scans), "reading rooms"):
        room = _checked(root, scan)
        points.append(len(room))
        boxes.update(room.classes.tolist())
    return Group(table, _classes(boxes, means.sizes.tolist()), _line(points, boxes.total(), len(answers)))


def _checked(root: Path, scan: str) -> Room:
    room = read_room(room_file(root, scan))
    if room.name != scan:
        raise DataError(f"{room_file(root, scan)} holds {room.name!r}: delete it and prepare the data again")
    return room


def _classes(boxes: Counter[int], sizes: list[list[float]]) -> Table:
    table = Table("label", "class", "boxes", "mean size in train [m]")
    for label, (name, size) in enumerate(zip(CLASSES, sizes)):
        table.add_row(str(label), name, f"{boxes[label]:,}", " x ".join(f"{one:.2f}" for one in size))
    return table


def _line(points: list[int], boxes: int, answers: int) -> str:
    return (
        f"{len(points):,} rooms of {min(points):,} to {max(points):,} points, {boxes:,} boxes; train gives {answers:,} "
        "different answers"
    )
