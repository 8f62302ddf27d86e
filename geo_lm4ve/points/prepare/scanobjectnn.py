"""ScanObjectNN: given by its authors on request; the archive is unpacked and read through here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.invocation import command
from geo_lm4ve.notice import say
from geo_lm4ve.prepare.archive import unpack
from geo_lm4ve.prepare.base import Preparer, preparer
from geo_lm4ve.reading import reader

if TYPE_CHECKING:
    from rich.console import RenderableType

PAGE = "https://hkust-vgd.github.io/scanobjectnn/"
"""Where the authors say how to ask for the data."""

LIST = "split_new.txt"
"""The authors' list of all objects: file, class and, for those of test, a ``t``, separated by tabs."""


@preparer
class ScanObjectNN(Preparer):
    """Unpacks the archive that the user got from the authors; nothing is downloaded."""

    name = "scanobjectnn"
    summary = "ScanObjectNN: 15 classes of scanned objects, given by its authors on request; --from h5_files.zip"

    def prepare(self, root: Path, source: Path | None) -> None:
        """See Preparer.prepare; ``source`` is ``h5_files.zip``."""
        from geo_lm4ve.points.scanobjectnn import files_root, present

        if source is None:
            if present(files_root(root)):
                say(f"{root} has files already")
                return
            raise DataError(
                f"ScanObjectNN may not be passed on and is not downloaded: accept its terms of use on {PAGE}, get "
                f"h5_files.zip from its authors, and run {command('prepare')} {self.name} --from PATH/h5_files.zip"
            )
        if source.is_dir():
            raise DataError(
                f"{source} is a folder and needs no preparation: set data.root={source}, and look through it by "
                f"{command('prepare')} {self.name} --check --root {source}"
            )
        unpack(source, root)
        say(f"unpacked into {root}; {source} is no longer needed")

    def check(self, root: Path) -> RenderableType:
        """See Preparer.check: all variants that are there."""
        from rich.console import Group

        from geo_lm4ve.points.files import read_clouds
        from geo_lm4ve.points.prepare.table import split_table
        from geo_lm4ve.points.scanobjectnn import COUNTS, NAMES, SPLITS, files_root, present

        folder = files_root(root)
        if not (variants := present(folder)):
            raise DataError(
                f"{root} holds no main_split/training_objectdataset*.h5 with its test_ file; get h5_files.zip from the "
                f"authors ({PAGE}) and run {command('prepare')} {self.name} --from PATH/h5_files.zip"
            )
        tables = []
        for variant in variants:
            splits = {s: read_clouds([folder / variant.file(s)], NAMES, (), "ScanObjectNN") for s in SPLITS}
            title = f"{folder / variant.file('train')} ({variant.name.upper()})"
            tables.append(split_table(title, NAMES, splits, COUNTS.get(variant, {})))
            if variant.name.startswith("obj_"):  # the others have several clouds of every object
                check_list(folder, {split: len(clouds) for split, clouds in splits.items()})
        return Group(*tables)


def check_list(folder: Path, counts: Mapping[str, int]) -> None:
    """Hold numbers of clouds against the authors' list, where it lies in ``folder`` or beside the files in it.

    The files leave out objects of fewer than 2,048 points, so they may hold fewer than are listed.

    Raises:
        DataError: a split holds more clouds than objects are listed, or the list cannot be read.
    """
    for path in sorted((*folder.glob(LIST), *folder.glob(f"*/{LIST}"))):
        listed = read_list(path)
        if wrong := {split: count for split, count in counts.items() if count > listed[split]}:
            raise DataError(f"{folder} holds {wrong} clouds, {path} lists {listed} objects; get the files again")
        say(f"{path} lists {listed} objects, the files hold {dict(counts)}")


@reader(DataError, "a list of objects", "get it again")
def read_list(path: Path) -> dict[str, int]:
    """Objects of ``train`` and ``test`` that the authors' list names."""
    rows = [row.split("\t") for row in path.read_text(encoding="utf-8").splitlines() if row.strip()]
    if odd := next((row for row in rows if len(row) < 2 or row[2:] not in ([], [""], ["t"])), None):
        raise ValueError(f"a line is a file, a class and perhaps a t, separated by tabs, not {odd!r:.80}")
    test = sum(row[2:] == ["t"] for row in rows)
    return {"train": len(rows) - test, "test": test}
