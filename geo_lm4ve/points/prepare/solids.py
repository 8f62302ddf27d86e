"""Synthetic solids, generated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from geo_lm4ve.prepare.base import preparer
from geo_lm4ve.prepare.generated import GeneratedPreparer

if TYPE_CHECKING:
    from rich.console import RenderableType


@preparer
class SyntheticSolids(GeneratedPreparer):
    """Generates clouds of solids."""

    name = "synthetic_solids"
    summary = "generated solids, 38 classes: 1,600 + 400 clouds, 49 MB, no download"
    title = "generated solids"
    numbers: ClassVar[dict[str, str]] = {
        "train": "clouds to train on (default: 1600)", "test": "clouds to test on (default: 400)",
        "seed": "of the solids (default: 0)",
    }  # fmt: skip

    def generate(self, root: Path) -> None:
        """See GeneratedPreparer.generate."""
        from geo_lm4ve.points.solids.source import SyntheticSolidsConfig

        SyntheticSolidsConfig(root=str(root), **self.given).prepare()

    def check(self, root: Path) -> RenderableType:
        """See Preparer.check."""
        from geo_lm4ve.points.prepare.table import point_table

        return point_table(root, {})
