"""What preparers of folders of meshes and clouds have in common: their options, the table, the command to train."""

from __future__ import annotations

import argparse
import re
import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.invocation import command
from geo_lm4ve.prepare.base import Preparer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from geo_lm4ve.points.prepare.division import Division
    from geo_lm4ve.points.prepare.listing import Listing

MOST_POINTS = 1 << 20
BATCH_POINTS, FEW = 1024, 64
"""Points of a cloud in a batch by default, and clouds that may not fill a batch of the default size."""


class CloudPreparer(Preparer):
    """Makes clouds of files.

    Attributes:
        points: per cloud; None: the preparer's own choice.
        seed: of the sampling.
        allow_failed: largest part of the files that may be unreadable.
        option: data option that reads what was prepared.
        usual: the preparer's own choice of points, in words.
    """

    points: int | None = None
    seed: int = 0
    allow_failed: float = 0.0
    option: str = "point_folder"
    usual: str = "2048"

    def options(self, parser: argparse.ArgumentParser) -> None:
        """See Preparer.options."""
        own = parser.add_argument_group("clouds of meshes and points")
        own.add_argument("--points", type=int, metavar="N", help=f"points of every cloud (default: {self.usual})")
        own.add_argument("--seed", type=int, default=0, metavar="N", help="of what is random (default: 0)")
        own.add_argument(
            "--allow-failed", type=float, default=type(self).allow_failed, metavar="PART",
            help=f"largest part of the files that may be unreadable (default: {type(self).allow_failed:g})",
        )  # fmt: skip

    def take(self, given: argparse.Namespace) -> None:
        """See Preparer.take."""
        super().take(given)
        self.points, self.seed, self.allow_failed = given.points, given.seed, given.allow_failed
        points = 1 if given.points is None else given.points
        if not 1 <= points <= MOST_POINTS or given.seed < 0 or not 0 <= given.allow_failed <= 1:
            raise DataError(
                f"--points must be 1 to {MOST_POINTS:,}, --seed at least 0 and --allow-failed between 0 and 1; given "
                f"are {given.points}, {given.seed} and {given.allow_failed}"
            )

    def make(
        self, root: Path, listing: Listing, points: int, *, source: str = "", division: Division | None = None
    ) -> None:
        """Clouds of a listing into ``root``; DataError as ``build``."""
        from geo_lm4ve.points.prepare.build import Recipe, build

        fraction, group_by = (division.fraction, division.group_by) if division else (None, "")
        recipe = Recipe(str(listing.folder.resolve()), points, self.seed, fraction, group_by, source)
        build(root, listing, recipe, self.workers, self.allow_failed, division)

    def check(self, root: Path) -> RenderableType:
        """See Preparer.check: every file is compared with its record."""
        from geo_lm4ve.data.manifest import data_manifest
        from geo_lm4ve.points.prepare.build import recipe_of
        from geo_lm4ve.points.prepare.shards import records
        from geo_lm4ve.points.prepare.table import point_table

        if recipe_of(root) is None:
            raise DataError(f"{root.absolute()} holds no clouds that {command('prepare')} {self.name} has made")
        for _, record in records(root):
            if not record.holds(root):
                raise DataError(f"{root / record.file} is missing or was changed: run the same preparation again")
        if not (counts := data_manifest(root).counts):
            raise DataError(f"the preparation of {root} did not end: run the same command again")
        return point_table(root, counts)

    def advice(self, root: Path) -> str:
        """See Preparer.advice: how to train on it; options that would not do as they are stand in it."""
        from geo_lm4ve.points.prepare.build import recipe_of
        from geo_lm4ve.points.prepare.shards import records

        if (recipe := recipe_of(root)) is None:
            return ""
        points = recipe.whole("points", 1)
        classes = Counter(row.kind for split, record in records(root) for row in record.rows if split == "train")
        changes = [f"data={self.option}", f"data.root={_value(root)}"]
        changes += [f"data.points={points}"] if points < BATCH_POINTS else []
        changes += [f"optim.batch_size={max(1, classes.total() // 8)}"] if classes.total() < FEW else []
        changes += _validated(max(classes.values()))
        return f"to train on it: {command('train')} quickstart {' '.join(map(shlex.quote, changes))}"


def _validated(most: int) -> list[str]:
    """What has a class of ``most`` clouds, the largest, give one to val, where a tenth is none."""
    if round(0.1 * most):
        return []
    return [f"data.val_fraction={1 / most:.2f}"] if most > 1 else ["run.select_on=last"]


def _value(root: Path) -> str:
    """A path as a value on the command line, where brackets, commas and others are signs."""
    if re.fullmatch(r"[\w./~+-]+", str(root), re.ASCII):
        return str(root)
    from hydra.core.override_parser.types import Quote, QuotedString

    return QuotedString(str(root), Quote.single).with_quotes()
