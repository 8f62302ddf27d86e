"""Which files of a folder are to become clouds, of which class, and in which split where the folder says so.

The class of a file is the name of a sub-folder: ``CLASS/…``; with a split of the folder's own ``CLASS/train/…`` and
``CLASS/test/…`` (ModelNet) or ``train/CLASS/…`` and ``test/CLASS/…``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.found import find, natural
from geo_lm4ve.geometry.meshes import SUFFIXES
from geo_lm4ve.words import line

SPLITS = ("train", "test")
LAYOUT = (
    "the folder must hold a sub-folder for each class with its files, CLASS/…, or with a split of its own "
    "CLASS/train/… and CLASS/test/…, or train/CLASS/… and test/CLASS/…"
)


@dataclass(frozen=True)
class Item:
    """A file.

    Attributes:
        path: to read.
        name: below the folder, parts joined by slashes: what it is called in reports and seeded by.
        kind: its class.
        split: ``train`` or ``test``; "" where nobody has said yet.
    """

    path: Path
    name: str
    kind: str
    split: str = ""


@dataclass(frozen=True)
class Listing:
    """The files of a folder.

    Attributes:
        folder: where they lie.
        classes: names by label, sorted.
        items: the files of classes, in natural order.
        homeless: names of files that lie in no class.
        skipped: files of other kinds: suffix -> how many.
        links: names of links to folders, which are not followed.
        empty: folders of classes without a file.
        divided: the folder has a split of its own.
    """

    folder: Path
    classes: tuple[str, ...]
    items: tuple[Item, ...]
    homeless: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    divided: bool = False

    def counts(self) -> dict[str, int]:
        """Files of each split."""
        return {split: sum(item.split == split for item in self.items) for split in SPLITS}


def list_folder(folder: Path, suffixes: Sequence[str] = SUFFIXES) -> Listing:
    """The files below a folder with these suffixes; none is opened.

    Raises:
        DataError: there is no such folder, no file or no class in it, the name of a class cannot stand in a list of
            names, or it is not clear what is a split and what is a class.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder.absolute()}: {LAYOUT}")
    found = find([folder], suffixes)
    if not found.files:
        raise DataError(f"{'; '.join(found.left_out)}: {LAYOUT}")
    outer = _splits_first(folder)
    items, homeless = [], []
    for path in found.files:
        if item := _item(folder, path, outer):
            items.append(item)
        else:
            homeless.append(_name(folder, path))
    _check_splits(folder, items)
    classes = tuple(sorted({item.kind for item in items}))
    _check_classes(folder, classes, homeless)
    return Listing(
        folder, classes, tuple(items), tuple(homeless), dict(found.skipped),
        tuple(_name(folder, path) for path in found.links), _empty(folder, outer, classes),
        divided=bool(items[0].split),
    )  # fmt: skip


def _subfolders(folder: Path) -> list[str]:
    return [
        path.name
        for path in sorted(folder.iterdir(), key=natural)
        if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
    ]


def _splits_first(folder: Path) -> bool:
    """Whether the folder has one for each split at its top."""
    names = _subfolders(folder)
    others = [name for name in names if name.casefold() not in SPLITS]
    if not {*SPLITS} <= {name.casefold() for name in names}:
        return False
    if others:
        raise DataError(
            f"{folder} has folders train and test, and beside them {some(others)}: move into train what is to be "
            "trained on (val is carved out of it when a run starts), and out of the folder what is not meant"
        )
    return True


def _item(folder: Path, path: Path, outer: bool) -> Item | None:
    """None for a file in no class."""
    parts = path.relative_to(folder).parts
    split, parts = (parts[0].casefold(), parts[1:]) if outer and len(parts) > 1 else ("", parts)
    if len(parts) < 2:
        return None
    if not outer and len(parts) > 2 and parts[1].casefold() in SPLITS:
        split = parts[1].casefold()
    return Item(path, _name(folder, path), parts[0], split)


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _empty(folder: Path, outer: bool, classes: Sequence[str]) -> tuple[str, ...]:
    places = [folder / name for name in _subfolders(folder)] if outer else [folder]
    names = {name for place in places for name in _subfolders(place)}
    return tuple(sorted(names.difference(classes)))


def _check_splits(folder: Path, items: Sequence[Item]) -> None:
    left = [item.name for item in items if not item.split]
    if left and len(left) < len(items):
        raise DataError(
            f"{folder} has folders train and test in those of classes, but {some(left)} "
            f"{'lie' if len(left) > 1 else 'lies'} in neither: move them into one of the two, or give no class any"
        )


def _check_classes(folder: Path, classes: Sequence[str], homeless: Sequence[str]) -> None:
    if not classes:
        raise DataError(f"{folder} has no class, its files lie at the top ({some(homeless)}): {LAYOUT}")
    if odd := [name for name in classes if line(name) != name or name != name.strip()]:
        raise DataError(
            f"{folder}: the name of the class {odd[0]!r:.80} is not UTF-8, or holds characters that are not seen; "
            "rename its folder"
        )


def some(names: Iterable[str], most: int = 3) -> str:
    """The first names, fit for a terminal, and how many there are beside."""
    listed = [line(name) for name in names]
    return ", ".join(listed[:most]) + (f" and {len(listed) - most:,} more" if len(listed) > most else "")
