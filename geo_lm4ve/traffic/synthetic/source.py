"""Synthetic traffic: made-up scenes in the layouts of Argoverse 1 and 2, written on first use."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict, dataclass, field
from typing import ClassVar

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.data.generated import Generated
from geo_lm4ve.parts.data import DataSource
from geo_lm4ve.traffic.argoverse.argoverse1 import ARGOVERSE1
from geo_lm4ve.traffic.argoverse.argoverse2 import ARGOVERSE2
from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.traffic.source import SceneConfig
from geo_lm4ve.traffic.synthetic.write import TrafficRecipe, write_argoverse1, write_argoverse2
from geo_lm4ve.traffic.view.conventions import AgentSelection, FrameConfig, LaneSelection


@dataclass
class SyntheticConfig(SceneConfig):
    """Made-up traffic in some layout. Not a benchmark: say so.

    Attributes:
        train, val: scenes to make up.
        seed: of town and scenes; the experiment's seed does not change them.
        original: the data set that this one is laid out like.
    """

    train: int = 640
    val: int = 160
    seed: int = 0

    synthetic: ClassVar[bool] = True
    original: ClassVar[str]

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        super().__post_init__()
        if self.train < 1 or self.val < 1 or self.seed < 0:
            raise ConfigError(
                f"data.train={self.train} and data.val={self.val} must be at least 1 and data.seed={self.seed} at "
                "least 0"
            )

    @abstractmethod
    def write(self, recipe: TrafficRecipe) -> None:
        """Write the files into ``root``."""

    def build(self) -> DataSource:
        """The data source; the files are made first if they are not there."""
        self.prepare()
        return super().build()

    def look(self) -> None:
        """See DataConfig.look: the files are there, or can be made."""
        self._generated().look(self.folder)

    def prepare(self) -> None:
        """Make the files unless they are there; DataError if ``root`` holds others."""
        self._generated().into(self.folder, lambda: self.write(self.recipe))

    @property
    def recipe(self) -> TrafficRecipe:
        """What determines the files."""
        return TrafficRecipe(self.train, self.val, self.seed)

    def _generated(self) -> Generated:
        counts = {"train": self.train, "val": self.val}
        return Generated("traffic scenes", asdict(self.recipe), counts, f"data={self.original}")


@register("data", "synthetic_traffic")
@dataclass
class SyntheticTrafficConfig(SyntheticConfig):
    """Made-up traffic in the layout of Argoverse 1: 2 s observed, 3 s to predict."""

    name: str = "synthetic_traffic"
    root: str = "datasets/synthetic_traffic/processed/argoverse1"

    layout: ClassVar[Layout] = ARGOVERSE1
    original: ClassVar[str] = "argoverse1"

    def write(self, recipe: TrafficRecipe) -> None:
        """Csv, XML and npy files."""
        write_argoverse1(self.folder, recipe)


@register("data", "synthetic_traffic_av2")
@dataclass
class SyntheticTrafficAv2Config(SyntheticConfig):
    """Made-up traffic in the layout of Argoverse 2: 5 s observed, 6 s to predict."""

    name: str = "synthetic_traffic_av2"
    root: str = "datasets/synthetic_traffic/processed/argoverse2"
    frame: FrameConfig = field(default_factory=lambda: ARGOVERSE2.view().frame)
    agents: AgentSelection = field(default_factory=lambda: ARGOVERSE2.view().agents)
    lanes: LaneSelection = field(default_factory=lambda: ARGOVERSE2.view().lanes)

    layout: ClassVar[Layout] = ARGOVERSE2
    original: ClassVar[str] = "argoverse2"

    def write(self, recipe: TrafficRecipe) -> None:
        """Parquet and json files."""
        write_argoverse2(self.folder, recipe)
