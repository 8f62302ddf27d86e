"""A listing -> a folder of clouds that ``data=point_folder`` reads: resumable, with a report of everything left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.generated import claim
from geo_lm4ve.data.manifest import MANIFEST
from geo_lm4ve.files import remove, to_json, write_json, write_text
from geo_lm4ve.notice import say
from geo_lm4ve.points.files import NAMES
from geo_lm4ve.points.prepare.division import Division
from geo_lm4ve.points.prepare.listing import SPLITS, Listing, some
from geo_lm4ve.points.prepare.report import REPORT, Report
from geo_lm4ve.points.prepare.sampled import Unreadable, each, sampling, shape
from geo_lm4ve.points.prepare.shards import Record, Shard, known_shapes, shards
from geo_lm4ve.progress import Meter
from geo_lm4ve.reading import Fields, json_object, reader

MARKER = ".geo_lm4ve_clouds.json"
"""Lies in a folder of prepared clouds before anything else does: what is not ours is never written over."""
VERSION = 2
"""Raise it when the same files give other clouds."""
_STEP = "choose another one by --out (or --root)"


@dataclass(frozen=True)
class Recipe:
    """What determines the clouds beside the files.

    Attributes:
        folder: of the files, absolute.
        points: per cloud.
        seed: of sampling and division.
        fraction: of each class that goes to test; None: the folder has a split of its own.
        group_by: regular expression of groups, else "".
        source: what the data are made of, said in titles; "" for one's own.
        version: of this module.
    """

    folder: str
    points: int
    seed: int
    fraction: float | None = None
    group_by: str = ""
    source: str = ""
    version: int = VERSION


def build(
    out: Path, listing: Listing, recipe: Recipe, workers: int, allow_failed: float, division: Division | None = None
) -> Report:
    """Clouds of all files into ``out``: missing, empty, or with clouds of the same recipe, of which what is done stays.

    ``report.json`` is there before anything of it is an error; ``shape_names.txt`` and the manifest come last, so that
    nothing is trained on a folder that is not whole. A division first looks for files of one shape.

    Raises:
        DataError: ``out`` holds something else, more than ``allow_failed`` of the files cannot be read, or a class has
            nothing to train on.
    """
    if division:
        division.groups(listing.items)  # refuses what it cannot divide before anything is written
    _claim(out, recipe)
    if division:
        items = division.divide(listing.items, _shapes(out, listing, workers))
        listing = replace(listing, items=tuple(items))
    pieces = shards(out, listing.items, listing.classes, f"{recipe.points} {recipe.seed} {recipe.version}")
    done = _made(out, listing, pieces, recipe, workers)
    _remove_others(out, pieces, done)
    report = Report(listing, done, recipe.points, recipe.group_by)
    write_json(out / REPORT, report.content())
    for text in report.remarks():
        say(text)
    _check(out, report, allow_failed)
    write_text(out / NAMES, "\n".join(listing.classes) + "\n")
    write_json(out / MANIFEST, {"counts": report.counts(), "source": recipe.source})
    return report


def recipe_of(folder: Path) -> Fields | None:
    """The recipe of a folder that is ours; None for any other."""
    path = folder / MARKER
    return _read_marker(path) if path.is_file() else None


@reader(DataError, "a marker of prepared clouds", "delete that folder and prepare the data again")
def _read_marker(path: Path) -> Fields:
    recipe = Fields(json_object(path.read_bytes())).fields("recipe")
    recipe.whole("points", 1)
    return recipe


def _claim(out: Path, recipe: Recipe) -> None:
    folder = Path(recipe.folder)
    if out.resolve().is_relative_to(folder):
        raise DataError(f"{out} lies in {folder}, whose files are read: {_STEP}")
    if (stored := recipe_of(out)) is None:
        return claim(out, MARKER, {"recipe": asdict(recipe)}, "prepared clouds", _STEP)
    if stored.values != asdict(recipe):
        differing = [key for key, value in asdict(recipe).items() if stored.values.get(key) != value]
        raise DataError(
            f"{out} holds clouds of another preparation: "
            + ", ".join(f"{key} was {to_json(stored.values.get(key))[:200]}" for key in differing)
            + f", asked for is {', '.join(to_json(asdict(recipe)[key])[:200] for key in differing)}; delete that "
            f"folder, or {_STEP}"
        )


def _shapes(out: Path, listing: Listing, workers: int) -> dict[str, str]:
    """Digest of the shape of every file by name, "" where it cannot be read."""
    found = known_shapes(out, listing.items)
    if not (todo := [item for item in listing.items if item.name not in found]):
        return found
    label = f"shapes of {listing.folder}"
    with each(shape, len(todo), workers) as read, Meter(label, len(todo), unit="files", announced=True) as meter:
        for item, digest in zip(todo, read(todo)):
            found[item.name] = digest
            meter.advance(1)
    return found


def _made(
    out: Path, listing: Listing, pieces: Sequence[Shard], recipe: Recipe, workers: int
) -> list[tuple[Shard, Record]]:
    found = {piece.path: piece.finished() for piece in pieces}
    todo = [piece for piece in pieces if found[piece.path] is None]
    if todo:  # what is there is not whole from here on
        remove(out / MANIFEST)
        remove(out / NAMES)
    left = sum(len(piece.items) for piece in todo)
    failed = 0
    label = f"clouds of {listing.folder}"
    with (
        sampling(recipe.points, recipe.seed, left, workers) as read,
        Meter(label, len(listing.items), unit="files", done=len(listing.items) - left, announced=True) as meter,
    ):
        for piece in todo:
            clouds = []
            for cloud in read(piece.items):
                failed += isinstance(cloud, Unreadable)
                clouds.append(cloud)
                meter.advance(1, f"{failed:,} unreadable" if failed else "")
            found[piece.path] = piece.write(clouds)
    return [(piece, record) for piece in pieces if (record := found[piece.path]) is not None]


def _remove_others(out: Path, pieces: Sequence[Shard], done: Sequence[tuple[Shard, Record]]) -> None:
    """Files of an earlier state of the folder."""
    kept = {piece.record_path.name for piece in pieces} | {record.file for _, record in done}
    for split in SPLITS:
        for path in sorted(out.glob(f"ply_data_{split}*")):
            if path.name not in kept:
                remove(path)


def _check(out: Path, report: Report, allow_failed: float) -> None:
    failed, files = report.unreadable(), report.files
    if len(failed) > allow_failed * files:
        raise DataError(
            f"{len(failed):,} of {files:,} files in {report.listing.folder} cannot be read, more than the "
            f"{allow_failed:.1%} that --allow-failed allows; {out / REPORT} names them, the first is "
            f"{failed[0]}. Mend or remove them, or allow more: what is done stays"
        )
    untrained = [kind for kind, counts in report.classes().items() if not counts["train"]]
    if untrained:
        raise DataError(
            f"no readable file of {some(untrained)} is in train: add one, or move the class out of "
            f"{report.listing.folder}, and run the same command again"
        )
    if not report.counts()["test"]:
        raise DataError(
            f"no readable file of {report.listing.folder} is in test: a class needs two files (of two groups, by "
            "--group-by) to be divided"
        )
