"""Made-up rooms with questions in the layout of ScanQA or SQA3D as data sources, made on first use."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.indoor.data_config import RoomQuestionsConfig
from geo_lm4ve.indoor.scanqa import ScanQAConfig
from geo_lm4ve.indoor.source import RoomSource
from geo_lm4ve.indoor.sqa3d import SQA3DConfig
from geo_lm4ve.indoor.synthetic.making import RAW, generated, prepare_rooms
from geo_lm4ve.indoor.synthetic.rooms import MOST, RoomsRecipe

LEAST = 3000
"""Vertices without which some rooms cannot be drawn."""
MOST_ASKED = 100


@dataclass
class MadeUpRoomsConfig(RoomQuestionsConfig):
    """Made-up rooms in some layout. Not a benchmark: say so.

    Attributes:
        root: folder of the rooms; both layouts share the scans in it.
        flip: 0: a mirrored room would have other answers, since many of them are "left" and "right".
        train, val, test: rooms per split.
        seed: of rooms and questions; the experiment's seed does not change them.
        vertices: of a scan, at most.
        asked: questions about each room, at most.
    """

    root: str = "datasets/synthetic_rooms/processed"
    points: int = 4096
    features: list[str] = field(default_factory=lambda: ["color", "height"])
    flip: float = 0.0
    train: int = 300
    val: int = 60
    test: int = 60
    seed: int = 0
    vertices: int = 8000
    asked: int = 12

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        super().__post_init__()
        counts = {"train": self.train, "val": self.val, "test": self.test}
        if self.train < 1 or min(counts.values()) < 0 or max(counts.values()) > MOST or self.seed < 0:
            said = ", ".join(f"data.{split}={count}" for split, count in counts.items())
            raise ConfigError(f"{said} must be 0 to {MOST:,}, train at least 1, and data.seed={self.seed} at least 0")
        if self.vertices < LEAST or not 1 <= self.asked <= MOST_ASKED:
            raise ConfigError(
                f"data.vertices={self.vertices} must be at least {LEAST} and data.asked={self.asked} in 1 to "
                f"{MOST_ASKED}"
            )

    @property
    def folder(self) -> Path:
        """What is prepared of the rooms for this layout."""
        return super().folder / self.layout.name

    @property
    def advice(self) -> str:
        """How to get the data."""
        return f"delete {self.folder.parent.absolute()} and run the same command again, which makes it anew"

    @property
    def recipe(self) -> RoomsRecipe:
        """What determines the files."""
        return RoomsRecipe(self.train, self.val, self.test, self.seed, self.vertices, self.asked)

    def build(self) -> RoomSource:
        """The data source; rooms are made first if they are not there."""
        self.prepare()
        return super().build()

    def look(self) -> None:
        """See DataConfig.look: the rooms are there, or can be made."""
        generated(self.recipe).look(self.folder.parent / RAW)

    def prepare(self) -> None:
        """Make the rooms unless they are there; DataError if ``root`` holds others."""
        prepare_rooms(self.folder.parent, self.recipe, self.layout)


@register("data", "synthetic_rooms")
@dataclass
class SyntheticRoomsConfig(MadeUpRoomsConfig, ScanQAConfig):
    """Made-up rooms with questions in the layout of ScanQA, about a room as a whole."""

    name: str = "synthetic_rooms"


@register("data", "synthetic_rooms_sqa3d")
@dataclass
class SyntheticRoomsSQA3DConfig(MadeUpRoomsConfig, SQA3DConfig):
    """Made-up rooms with questions in the layout of SQA3D, from a place in the room."""

    name: str = "synthetic_rooms_sqa3d"
