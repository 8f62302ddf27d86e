"""Drawers: who draws files of one's own, by their suffix (``tools/visualize.py FILE...``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from geo_lm4ve.config import ConfigError
from geo_lm4ve.files import UserError, from_json
from geo_lm4ve.reading import Fields, reader
from geo_lm4ve.shipped import load, load_all, load_shipped

Drawer = Callable[[Sequence[Path], Path, Mapping[str, Mapping[str, Any]]], list[Path]]
"""Draws files into a folder, given what was predicted: file name as given -> its entry of the JSON that
``tools/predict.py --out`` wrote. Returns the files written; UserError where a file cannot be read."""

Answer = Callable[[Fields], object]
"""Looks at what was predicted for one file; ValueError if a drawer cannot show it."""

DRAWERS: dict[str, tuple[Drawer, Answer]] = {}
"""By suffix, in lower case with its dot: those that have been imported so far."""


def drawer(*suffixes: str, answer: Answer = lambda entry: None) -> Callable[[Drawer], Drawer]:
    """Decorator: draw files with these suffixes, whose predictions are as ``answer`` has it.

    Raises:
        ConfigError: a suffix is taken.
    """

    def add(draw: Drawer) -> Drawer:
        for suffix in suffixes:
            load_shipped("drawer", suffix)
            if suffix in DRAWERS:
                raise ConfigError(f"{suffix} files are already drawn by {DRAWERS[suffix][0].__qualname__}")
            DRAWERS[suffix] = draw, answer
        return draw

    return add


@reader(UserError, "predictions of files", "write it with tools/predict.py --out")
def read_answers(path: Path, check: Answer) -> dict[str, dict[str, Any]]:
    """File name as given -> its entry, of the JSON that ``tools/predict.py --out`` wrote."""
    entries = from_json(path.read_bytes())
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("it is not a list of one entry per file")
    for entry in entries:
        check(Fields(entry, f"of {Fields(entry).text('file')[:200]!r}: "))
    return {entry["file"]: entry for entry in entries}


def draw_files(files: Sequence[Path], out: Path, predictions: Path | None = None) -> list[Path]:
    """Draw files of one kind into ``out``; returns the files written.

    Args:
        files: what to draw.
        out: folder for the pictures.
        predictions: what ``tools/predict.py --out`` wrote of them.

    Raises:
        UserError: a file is not there or cannot be read, nothing draws such files, or they are of several kinds.
    """
    kinds = {_drawer_of(path): path for path in files}
    if len(kinds) > 1:
        first, second = list(kinds.values())[:2]
        raise UserError(f"{first} and {second} are not drawn together: give files of one kind")
    draw, answer = next(iter(kinds))
    return draw(files, out, {} if predictions is None else read_answers(predictions, answer))


def _drawer_of(path: Path) -> tuple[Drawer, Answer]:
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    if (suffix := path.suffix.lower()) not in DRAWERS:
        load("drawer", suffix)
    if suffix not in DRAWERS:
        load_all("drawer")
        what = path.suffix or "without a suffix"
        raise UserError(f"{path}: files {what} are not drawn; known are {' '.join(sorted(DRAWERS))}")
    return DRAWERS[suffix]
