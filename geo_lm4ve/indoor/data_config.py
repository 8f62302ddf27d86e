"""The config of data with questions about rooms of a prepared folder: the base of those of ScanQA and SQA3D."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch
from omegaconf import MISSING

from geo_lm4ve.config import ConfigError
from geo_lm4ve.data.manifest import data_manifest
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.features import check_kinds
from geo_lm4ve.indoor.own_scans import OwnScans, recipe_of
from geo_lm4ve.indoor.stored.folder import MEAN_SIZES
from geo_lm4ve.indoor.stored.questions import Layout
from geo_lm4ve.indoor.stored.tables import read_mean_sizes
from geo_lm4ve.indoor.targets import AnswerTargets
from geo_lm4ve.invocation import command
from geo_lm4ve.parts.data import DataConfig, DataError

if TYPE_CHECKING:
    from geo_lm4ve.indoor.source import RoomSource


@dataclass
class RoomQuestionsConfig(DataConfig):
    """Questions about scans of ScanNet, prepared by ``tools/prepare.py``.

    Attributes:
        root: the prepared folder.
        points: of a room in a batch; one that has fewer shows some of them again.
        features: what points carry besides their coordinates (``indoor.features.KINDS``), in that order.
        flip: probability in training that a room is mirrored along x, and that it is along y; words like "left" stay as
            they are, as in the official code of both data sets.
        rotate: bound of its turn about each axis, in degrees.
        shift: bound of its shift along each axis [m].
        questions_per_room: a training batch takes so many questions of each room that it visits, so that rooms are
            detected in once for all of them; 1: questions are drawn one by one, as in the official code. Questions of a
            batch about one room share it either way.
        vocabulary: file of the answers that a classifier knows (``answer_vocab.json``, ``answer_dict.json``); None:
            that of the prepared folder.
        limit: at most so many questions of every split, for debugging.
        cache_gib: memory for rooms; what does not go in is read again.
    """

    gives: ClassVar[type | None] = RoomBatch
    layout: ClassVar[Layout]

    root: str = MISSING
    points: int = 40_000
    features: list[str] = field(default_factory=lambda: ["height"])
    flip: float = 0.5
    rotate: float = 5.0
    shift: float = 0.5
    questions_per_room: int = 1
    vocabulary: str | None = None
    limit: int | None = None
    cache_gib: float = 4.0

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        super().__post_init__()
        if self.points < 1 or self.questions_per_room < 1 or (self.limit is not None and self.limit < 1):
            raise ConfigError(
                f"data.points={self.points}, data.questions_per_room={self.questions_per_room} and "
                f"data.limit={self.limit} must be at least 1"
            )
        if not 0 <= self.flip <= 1 or not 0 <= self.rotate <= 180 or not 0 <= self.shift < float("inf"):
            raise ConfigError(
                f"data.flip={self.flip} must be in [0, 1], data.rotate={self.rotate} in [0, 180] degrees and "
                f"data.shift={self.shift} at least 0"
            )
        if not 0 <= self.cache_gib < float("inf"):
            raise ConfigError(f"data.cache_gib={self.cache_gib} must be at least 0")
        check_kinds("data.features", self.features)

    @property
    def situated(self) -> bool:
        """Questions come with situations."""
        return bool(self.layout.questions)

    @property
    def folder(self) -> Path:
        """``root`` as a path."""
        return Path(self.root).expanduser()

    @property
    def advice(self) -> str:
        """How to get the data."""
        way = f"{command('prepare')} {self.name} --from QUESTIONS --scans SCANS"
        return f"run {way}, or set data.root to the folder that it made"

    @property
    def described(self) -> str:
        """How many points a room has, and what they carry."""
        return f"{self.points} points{' with ' * bool(self.features)}{' and '.join(self.features)}"

    def targets(self) -> AnswerTargets:
        """The vocabulary, and what its answers are worth."""
        raise NotImplementedError

    def place(self) -> str:
        """See DataConfig.place."""
        return str(self.folder.resolve())

    def look(self) -> None:
        """See DataConfig.look: the folder holds a data set of this layout, prepared to the end."""
        if not self.folder.is_dir():
            raise DataError(f"there is no folder {self.folder.absolute()}: {self.advice}")
        if not data_manifest(self.folder).counts:
            raise DataError(
                f"{self.folder.absolute()} has no prepared rooms, or their preparation did not end: {self.advice}"
            )

    def splits(self) -> tuple[str, ...]:
        """See DataConfig.splits."""
        return self.layout.splits

    def own(self) -> OwnScans:
        """See DataConfig.own: scans of one's own; boxes are told in the mean sizes of the prepared folder's objects."""
        sizes = self.folder / MEAN_SIZES
        if not sizes.is_file():
            raise DataError(
                f"the sizes of objects that the model was trained with are read from {sizes}: {self.advice}"
            )
        mean_sizes = torch.from_numpy(read_mean_sizes(sizes).sizes)
        return OwnScans(recipe_of(self.points, self.features), mean_sizes, self.situated)

    def build(self) -> RoomSource:
        """The data source; DataError when files are missing or damaged."""
        from geo_lm4ve.indoor.source import RoomSource

        return RoomSource(self)
