"""What the preparers of questions about ScanNet's scans have in common: their options, the check, the next command."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.invocation import command
from geo_lm4ve.prepare.base import Preparer
from geo_lm4ve.words import line

if TYPE_CHECKING:
    from rich.console import RenderableType

    from geo_lm4ve.indoor.scannet.labels import LabelMap
    from geo_lm4ve.indoor.stored.questions import Layout

MOST_POINTS = 1 << 20
TERMS = (
    "ScanNet's scans are given on request: fill in the agreement to its Terms of Use and mail it, as "
    "github.com/ScanNet/ScanNet says; nothing of it is downloaded here"
)


class RoomPreparer(Preparer):
    """Makes rooms of the scans that the questions of a data set are about.

    Attributes:
        title: of the data set.
        scans: folder with a folder for each scan.
        label_map: ScanNet's label table; None: the built-in list.
        points: of a room at most; None: as ScanQA.
        multiview: HDF5 file of image features; None: none.
        allow_missing: largest part of the questions whose scan may be missing or damaged.
    """

    large = True
    title: ClassVar[str]
    scans: Path | None = None
    label_map: Path | None = None
    points: int | None = None
    multiview: Path | None = None
    allow_missing: float = 0.0

    @property
    def layout(self) -> Layout:
        """How the data set lays out its questions."""
        from geo_lm4ve.indoor.stored.questions import LAYOUTS

        return LAYOUTS[self.name]

    def options(self, parser: argparse.ArgumentParser) -> None:
        """See Preparer.options."""
        own = parser.add_argument_group("rooms of scans")
        own.add_argument("--scans", type=Path, metavar="DIR", help="has a folder for each scan of ScanNet")
        own.add_argument(
            "--label-map", type=Path, metavar="TSV",
            help="ScanNet's scannetv2-labels.combined.tsv (default: a built-in list of frequent labels)",
        )  # fmt: skip
        own.add_argument("--points", type=int, metavar="N", help="of a room at most (default: 50000, as ScanQA)")
        own.add_argument(
            "--multiview", type=Path, metavar="H5", help="image features: a dataset (vertices, 128) per scan"
        )
        own.add_argument(
            "--allow-missing", type=float, default=0.0, metavar="PART",
            help="largest part of the questions whose scan may be missing or damaged (default: 0)",
        )  # fmt: skip

    def take(self, given: argparse.Namespace) -> None:
        """See Preparer.take."""
        super().take(given)
        self.scans, self.label_map, self.multiview = given.scans, given.label_map, given.multiview
        self.points, self.allow_missing = given.points, given.allow_missing
        if given.download:
            raise DataError(f"{self.title} cannot be downloaded: leave out --download. {TERMS}")
        from geo_lm4ve.indoor.scannet.scan import LEAST

        points = LEAST if given.points is None else given.points
        if not LEAST <= points <= MOST_POINTS or not 0 <= given.allow_missing <= 1:
            raise DataError(
                f"--points must be {LEAST} to {MOST_POINTS:,} and --allow-missing between 0 and 1; given are "
                f"{given.points} and {given.allow_missing}"
            )

    def prepare(self, root: Path, source: Path | None) -> None:
        """See Preparer.prepare; ``source`` is the folder of the questions."""
        from geo_lm4ve.data.manifest import data_manifest
        from geo_lm4ve.indoor.scannet.build import build
        from geo_lm4ve.indoor.scannet.making import Recipe
        from geo_lm4ve.indoor.scannet.multiview import check_multiview
        from geo_lm4ve.indoor.scannet.scan import POINTS
        from geo_lm4ve.indoor.stored.questions import find_questions

        if source is None or self.scans is None:
            raise DataError(
                f"{self.title} is prepared from files that you have: {command('prepare')} {self.name} --from QUESTIONS "
                f"--scans SCANS. {TERMS}; datasets/{self.name}/README.md says where the questions are"
            )
        if self.multiview is not None:
            check_multiview(self.multiview)
        recipe = Recipe(self._labels(), self.points or POINTS, self.multiview)
        asked, made = find_questions(self.layout, source), data_manifest(source)
        build(
            root, asked, self.scans, recipe, workers=self.workers, allow_missing=self.allow_missing,
            synthetic=made.synthetic, source=made.source,
        )  # fmt: skip

    def check(self, root: Path) -> RenderableType:
        """See Preparer.check: every room is read."""
        from geo_lm4ve.indoor.prepare.table import room_table

        return room_table(root, self.layout)

    def advice(self, root: Path) -> str:
        """See Preparer.advice."""
        return line(f"to read it: data={self.name} data.root={shlex.quote(str(root))}")

    def _labels(self) -> LabelMap:
        from geo_lm4ve.indoor.scannet.labels import built_in, read_label_map

        return built_in() if self.label_map is None else read_label_map(self.label_map)
