"""Synthetic traffic, made up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.prepare.base import DATASETS, preparer
from geo_lm4ve.traffic.argoverse.prepare import ScenePreparer

if TYPE_CHECKING:
    from geo_lm4ve.traffic.synthetic.source import SyntheticConfig


class _Generated(ScenePreparer):
    """Makes up the default scenes; the data option also does so on first use, with its own numbers."""

    large = False

    def prepare(self, root: Path, source: Path | None) -> None:
        """See Preparer.prepare; there is nothing to take from a ``source``."""
        if source:
            raise DataError(f"{self.name} is made up: --from has no meaning here")
        cast("SyntheticConfig", self._config(root)).prepare()
        super().prepare(root, None)


@preparer
class SyntheticTraffic(_Generated):
    """In the layout of Argoverse 1."""

    name = "synthetic_traffic"
    summary = "made-up traffic in the layout of Argoverse 1: 640 + 160 scenes of 5 s, no download"

    @property
    def root(self) -> Path:
        """Beside the other layout."""
        return DATASETS / "synthetic_traffic" / "processed" / "argoverse1"


@preparer
class SyntheticTrafficAv2(_Generated):
    """In the layout of Argoverse 2."""

    name = "synthetic_traffic_av2"
    summary = "made-up traffic in the layout of Argoverse 2: 640 + 160 scenes of 11 s, no download"

    @property
    def root(self) -> Path:
        """Beside the other layout."""
        return DATASETS / "synthetic_traffic" / "processed" / "argoverse2"
