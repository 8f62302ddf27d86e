"""Synthetic rooms, made up."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.prepare.base import Preparer, preparer
from geo_lm4ve.words import line

if TYPE_CHECKING:
    from rich.console import RenderableType

    from geo_lm4ve.indoor.synthetic.source import SyntheticRoomsConfig

OPTIONS = {
    "train": "rooms to train on (default: 300)", "val": "rooms to validate on (default: 60)",
    "test": "rooms to test on (default: 60)", "seed": "of rooms and questions (default: 0)",
}  # fmt: skip


@preparer
class SyntheticRooms(Preparer):
    """Makes up rooms with both kinds of questions; the data options also do so on first use.

    Attributes:
        given: option -> value, for those that the command line has.
    """

    name = "synthetic_rooms"
    summary = "made-up rooms in ScanNet's layout with ScanQA and SQA3D questions: 300 + 60 + 60 scans, no download"
    given: dict[str, Any]

    def __init__(self) -> None:
        self.given = {}

    def options(self, parser: argparse.ArgumentParser) -> None:
        """See Preparer.options."""
        own = parser.add_argument_group("made-up rooms")
        for name, about in OPTIONS.items():
            own.add_argument(f"--{name}", type=int, metavar="N", help=about)

    def take(self, given: argparse.Namespace) -> None:
        """See Preparer.take."""
        super().take(given)
        self.given = {name: value for name in OPTIONS if (value := getattr(given, name)) is not None}

    def prepare(self, root: Path, source: Path | None) -> None:
        """See Preparer.prepare; there is nothing to take from a ``source``."""
        if source:
            raise DataError(f"{self.name} is made up: --from has no meaning here")
        from geo_lm4ve.indoor.stored.questions import LAYOUTS
        from geo_lm4ve.indoor.synthetic.making import prepare_rooms

        for layout in LAYOUTS.values():
            prepare_rooms(root, self._config(root).recipe, layout, self.workers)

    def check(self, root: Path) -> RenderableType:
        """See Preparer.check: every room is read."""
        from rich.console import Group

        from geo_lm4ve.indoor.prepare.table import room_table
        from geo_lm4ve.indoor.stored.questions import LAYOUTS

        return Group(*(room_table(root / layout.name, layout) for layout in LAYOUTS.values()))

    def advice(self, root: Path) -> str:
        """See Preparer.advice."""
        changes = "".join(f" data.{name}={value}" for name, value in self.given.items())
        place = f"data.root={shlex.quote(str(root))}{changes}"
        return line(f"to read it: data={self.name} {place}, or data={self.name}_sqa3d {place}")

    def _config(self, root: Path) -> SyntheticRoomsConfig:
        """Checks what the command line says as the data option does."""
        from geo_lm4ve.indoor.synthetic.source import SyntheticRoomsConfig

        return SyntheticRoomsConfig(root=str(root), **self.given)
