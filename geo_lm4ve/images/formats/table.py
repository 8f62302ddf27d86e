"""A table that says of every image file its class and split: ``labels.csv``."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.images.formats.listing import SPLITS, Listed, few
from geo_lm4ve.images.stores.store import Store
from geo_lm4ve.reading import check_bytes, reader

TABLE, NAMES = "labels.csv", "classes.txt"
FILE, LABEL, SPLIT = ("file", "path", "filename", "image"), ("label", "class"), ("split",)
"""What the columns may be called; others are not read."""


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        file: relative to the folder of the data.
        label: as it is written.
        split: ``train`` where there is no such column.
    """

    file: str
    label: str
    split: str


def by_table(store: Store, table: str = "") -> Listed:
    """The images that a table lists, in its order.

    Labels are names, or numbers of lines of ``classes.txt`` (from 0); without that file the classes are the labels in
    order.

    Args:
        store: that holds the images.
        table: name in the store or path of the table; "": ``labels.csv`` in the store.

    Raises:
        DataError: it is damaged, lists a file twice, lists files that are missing, labels that are no class, or leaves
            a class without an image of train.
    """
    name = table or TABLE
    inside = name in store.names()
    place = store.where(name) if inside else name
    rows = read_table(place, store.read(name) if inside else _outside(Path(name)))
    named = read_classes(store.where(NAMES), store.read(NAMES)) if NAMES in store.names() else ()
    _check_files(place, store, rows)
    classes, labels = _labels(place, rows, named)
    splits: dict[str, list[tuple[str, int]]] = {}
    for row, label in zip(rows, labels):
        splits.setdefault(row.split, []).append((row.file, label))
    _check_classes(place, classes, [label for row, label in zip(rows, labels) if row.split == "train"])
    return Listed(splits, classes)


def _outside(path: Path) -> bytes:
    path = path.expanduser()
    if not path.is_file():
        raise DataError(f"there is no table {path.absolute()}: set data.table to one, or leave it empty")
    return path.read_bytes()


@reader(DataError, "a csv table of images", "mend the line, or export it again as UTF-8 with commas")
def read_table(place: str, content: bytes) -> list[Row]:
    """The lines of a csv file whose first line names the columns.

    Raises:
        DataError: a column is missing, a line too short, or a split unknown.
    """
    check_bytes(len(content), "it")
    lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    heads = [head.strip().lower() for head in next(lines, [])]
    file, label, split = _column(heads, FILE), _column(heads, LABEL), _column(heads, SPLIT, needed=False)
    rows = [_row(fields, lines.line_num, len(heads), file, label, split) for fields in lines if fields]
    if not rows:
        raise ValueError("it lists no image")
    return rows


def _column(heads: Sequence[str], names: Sequence[str], *, needed: bool = True) -> int:
    found = [at for at, head in enumerate(heads) if head in names]
    if len(found) > 1:
        raise ValueError(f"its columns {', '.join(heads[at] for at in found)} mean the same: keep one of them")
    if not found and needed:
        raise ValueError(
            f"none of its columns is called {' or '.join(names)}; its first line is {', '.join(heads)!r:.200}"
        )
    return found[0] if found else -1


def _row(fields: Sequence[str], line: int, columns: int, file: int, label: int, split: int) -> Row:
    if len(fields) != columns:
        raise ValueError(f"line {line} has {len(fields)} fields, its first line has {columns}")
    values = [value.strip() for value in fields]
    known = SPLITS.get(values[split].lower()) if split >= 0 else "train"
    if known is None:
        raise ValueError(f"line {line} has the split {values[split]!r:.60}; known: {', '.join(SPLITS)}")
    if not values[file] or not values[label]:
        raise ValueError(f"line {line} has no file or no label")
    return Row(values[file].removeprefix("./"), values[label], known)


@reader(DataError, "a list of class names in UTF-8", "write it again, one name a line")
def read_classes(place: str, content: bytes) -> tuple[str, ...]:
    """Names of classes by label, one a line; DataError where one is empty or there twice."""
    names = tuple(name.strip() for name in content.decode("utf-8-sig").rstrip().split("\n"))
    for number, name in enumerate(names):
        if not name:
            raise ValueError(f"line {number + 1} is empty")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ValueError(f"named more than once: {few(twice)}")
    return names


def _check_files(place: str, store: Store, rows: Sequence[Row]) -> None:
    if twice := [name for name, count in Counter(row.file for row in rows).items() if count > 1]:
        raise DataError(f"{place} lists {len(twice):,} files more than once: {few(twice)}; keep one line of each")
    known = frozenset(store.names())
    if missing := [row.file for row in rows if row.file not in known]:
        raise DataError(
            f"{place} lists {len(rows):,} files, {len(missing):,} of them are not in {store.place}: {few(missing)}; "
            "add them or remove their lines (files are named from data.root on, with / between folders)"
        )


def _labels(place: str, rows: Sequence[Row], names: Sequence[str]) -> tuple[Sequence[str], list[int]]:
    """Classes, and the label of each row."""
    given = {row.label for row in rows}
    numbers = all(label.isdecimal() and label.isascii() and len(label) < 10 for label in given)
    if not names:
        names = sorted(given, key=int) if numbers else sorted(given)
        numbers = False
    known = {name: label for label, name in enumerate(names)}
    if numbers and not given <= known.keys():
        known = {label: int(label) for label in given if int(label) < len(names)}
    if odd := [f"{row.label!r} of {row.file}" for row in rows if row.label not in known]:
        raise DataError(
            f"{place} has {len(odd):,} labels that are none of the {len(names):,} classes of {NAMES}: {few(odd)}; "
            f"labels are names of classes, or numbers from 0 to {len(names) - 1}"
        )
    return names, [known[row.label] for row in rows]


def _check_classes(place: str, classes: Sequence[str], train: Sequence[int]) -> None:
    there = set(train)
    if empty := [name for label, name in enumerate(classes) if label not in there]:
        raise DataError(
            f"{place} lists no image of train for {len(empty):,} of {len(classes):,} classes: {few(empty)}; add some, "
            f"or take the names out of {NAMES}"
        )
