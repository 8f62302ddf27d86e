"""Synthetic solids: 38 classes of generated shapes, made on first use; for quick starts and tests without downloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.data.generated import Generated
from geo_lm4ve.geometry.solids.classes import SOLIDS
from geo_lm4ve.points.solids.write import SolidsRecipe, write_solids
from geo_lm4ve.points.source import PointCloudConfig, PointCloudSource


@register("data", "synthetic_solids")
@dataclass
class SyntheticSolidsConfig(PointCloudConfig):
    """Generated solids with 2,048 points on the unit sphere, z up. Not a benchmark: say so beside every number.

    Attributes:
        train, test: clouds to generate (``val`` is carved out of train).
        seed: of the generated shapes; the experiment's seed does not change them.
        normalize: the solids lie on the unit sphere but for rounding; it brings files to predict there as well.
        turn: every solid is turned about z by up to so many degrees either way.
        noise: standard deviation of normal noise on every coordinate, in radii of the unit sphere.
    """

    name: str = "synthetic_solids"
    root: str = "datasets/synthetic_solids/processed"
    normalize: bool = True
    train: int = 1600
    test: int = 400
    seed: int = 0
    turn: float = 15.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        super().__post_init__()
        if min(self.train, self.test) < len(SOLIDS) or self.seed < 0 or self.turn < 0 or self.noise < 0:
            raise ConfigError(
                f"data.train={self.train} and data.test={self.test} must be at least {len(SOLIDS)} (one per class), "
                f"data.seed={self.seed}, data.turn={self.turn} and data.noise={self.noise} at least 0"
            )

    def title(self, names: Sequence[str]) -> str:
        """What reports call the data."""
        return f"synthetic solids (generated, {len(SOLIDS)} classes, {self.described})"

    @property
    def recipe(self) -> SolidsRecipe:
        """What determines the files."""
        return SolidsRecipe(self.train, self.test, self.seed, self.turn, self.noise)

    def build(self) -> PointCloudSource:
        """The data in memory, generated into ``root`` if nothing is there."""
        self.prepare()
        return super().build()

    def look(self) -> None:
        """See DataConfig.look: the files are there, or can be generated."""
        self._generated().look(Path(self.root).expanduser())

    def prepare(self) -> None:
        """Generate the files unless they are there.

        Raises:
            DataError: ``root`` holds something else.
        """
        root, recipe = Path(self.root).expanduser(), self.recipe
        self._generated().into(root, lambda: write_solids(root, recipe))

    def _generated(self) -> Generated:
        counts = {"train": self.train, "test": self.test}
        return Generated("synthetic solids", asdict(self.recipe), counts, "data=point_folder")
