"""Synthetic rooms, made up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from geo_lm4ve.prepare.base import preparer
from geo_lm4ve.prepare.generated import GeneratedPreparer
from geo_lm4ve.words import line

if TYPE_CHECKING:
    from rich.console import RenderableType


@preparer
class SyntheticRooms(GeneratedPreparer):
    """Makes up rooms with both kinds of questions."""

    name = "synthetic_rooms"
    summary = "made-up rooms in ScanNet's layout with ScanQA and SQA3D questions: 300 + 60 + 60 scans, no download"
    title = "made-up rooms"
    numbers: ClassVar[dict[str, str]] = {
        "train": "rooms to train on (default: 300)", "val": "rooms to validate on (default: 60)",
        "test": "rooms to test on (default: 60)", "seed": "of rooms and questions (default: 0)",
    }  # fmt: skip

    def generate(self, root: Path) -> None:
        """See GeneratedPreparer.generate."""
        from geo_lm4ve.indoor.stored.questions import LAYOUTS
        from geo_lm4ve.indoor.synthetic.making import prepare_rooms
        from geo_lm4ve.indoor.synthetic.source import SyntheticRoomsConfig

        recipe = SyntheticRoomsConfig(root=str(root), **self.given).recipe
        for layout in LAYOUTS.values():
            prepare_rooms(root, recipe, layout, self.workers)

    def check(self, root: Path) -> RenderableType:
        """See Preparer.check: every room is read."""
        from rich.console import Group

        from geo_lm4ve.indoor.prepare.table import room_table
        from geo_lm4ve.indoor.stored.questions import LAYOUTS

        return Group(*(room_table(root / layout.name, layout) for layout in LAYOUTS.values()))

    def advice(self, root: Path) -> str:
        """See Preparer.advice: both data options."""
        place = self.place_of(root)
        return line(f"to read it: data={self.name} {place}, or data={self.name}_sqa3d {place}")
