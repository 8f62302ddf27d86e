"""Synthetic solids, generated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.prepare.base import Preparer, preparer

if TYPE_CHECKING:
    from rich.console import RenderableType


@preparer
class SyntheticSolids(Preparer):
    """Generates the default set; ``data=synthetic_solids`` also does so on first use, with its own options."""

    name = "synthetic_solids"
    summary = "generated solids, 38 classes: 1,600 + 400 clouds, 49 MB, no download"

    def prepare(self, root: Path, source: Path | None) -> None:
        """See Preparer.prepare; there is nothing to take from a ``source``."""
        if source:
            raise DataError(f"{self.name} is generated: --from has no meaning here")
        from geo_lm4ve.points.solids.source import SyntheticSolidsConfig

        SyntheticSolidsConfig(root=str(root)).prepare()

    def check(self, root: Path) -> RenderableType:
        """See Preparer.check."""
        from geo_lm4ve.points.prepare.table import point_table

        return point_table(root, {})
