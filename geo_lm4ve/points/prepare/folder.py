"""One's own data: a folder of meshes and point files with a sub-folder for each class."""

from __future__ import annotations

import argparse
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.invocation import command
from geo_lm4ve.points.prepare.base import CloudPreparer
from geo_lm4ve.prepare.base import preparer

POINTS = 2048
FRACTION = 0.2


@preparer
class Folder(CloudPreparer):
    """Samples every file, and divides them into train and test unless the folder does.

    Attributes:
        fraction: of each class that goes to test; None: a fifth, or as the folder has it.
        group_by: regular expression; files whose first group is the same stay together.
    """

    name = "folder"
    summary = "your own meshes and point files, a sub-folder for each class: folder DIR --out OUT"
    allow_failed = 0.05
    fraction: float | None = None
    group_by: str = ""

    def options(self, parser: argparse.ArgumentParser) -> None:
        """See Preparer.options."""
        parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="the folder, as --from")
        parser.add_argument("--out", dest="root", type=Path, default=argparse.SUPPRESS, metavar="OUT", help="as --root")
        super().options(parser)
        own = parser.add_argument_group("a folder without a split of its own")
        own.add_argument("--test-fraction", type=float, metavar="PART", help="of each class (default: 0.2)")
        own.add_argument(
            "--group-by", default="", metavar="REGEX",
            help=r"files whose first group agrees stay on one side of the split, e.g. '([^/]+)_\d+'",
        )  # fmt: skip

    def take(self, given: argparse.Namespace) -> None:
        """See Preparer.take."""
        super().take(given)
        given.source = given.folder or given.source
        self.fraction, self.group_by = given.test_fraction, given.group_by

    def prepare(self, root: Path, source: Path | None) -> None:
        """See Preparer.prepare; ``source`` is the folder."""
        from geo_lm4ve.points.prepare.division import Division
        from geo_lm4ve.points.prepare.listing import list_folder

        if source is None:
            raise DataError(f"which folder? {command('prepare')} folder DIR --out OUT; DIR has a folder for each class")
        listing = list_folder(source)
        if listing.divided:
            if self.fraction is not None or self.group_by:
                raise DataError(
                    f"{source} has folders train and test, a split of its own: leave out --test-fraction and "
                    "--group-by, or join the folders"
                )
            return self.make(root, listing, self.points or POINTS)
        fraction = FRACTION if self.fraction is None else self.fraction
        return self.make(root, listing, self.points or POINTS, division=Division(fraction, self.seed, self.group_by))
