"""Questions about rooms of a prepared folder as a data source: the base of ScanQA and SQA3D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float64
from omegaconf import MISSING

from geo_lm4ve.answering.questions import Question
from geo_lm4ve.config import ConfigError
from geo_lm4ve.data.loaders import make_loader
from geo_lm4ve.data.manifest import data_manifest
from geo_lm4ve.data.split import subsample
from geo_lm4ve.indoor.augment import RoomAugment
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.features import check_kinds
from geo_lm4ve.indoor.info import RoomInfo, title_of
from geo_lm4ve.indoor.loader import RoomSplit
from geo_lm4ve.indoor.own_scans import OwnScans, recipe_of
from geo_lm4ve.indoor.poses import are_placeholders
from geo_lm4ve.indoor.shown import RoomRecipe
from geo_lm4ve.indoor.stored.folder import MEAN_SIZES, room_file
from geo_lm4ve.indoor.stored.questions import Layout
from geo_lm4ve.indoor.stored.rooms import Rooms
from geo_lm4ve.indoor.stored.tables import read_mean_sizes
from geo_lm4ve.indoor.targets import AnswerTargets
from geo_lm4ve.invocation import command
from geo_lm4ve.notice import say
from geo_lm4ve.parts.data import DataConfig, DataError, DataSource, Loader

if TYPE_CHECKING:
    from geo_lm4ve.indoor.viz.asked import Asked

_GIB = 1 << 30
TRAIN = "train"


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
        return RoomSource(self)


class RoomSource(DataSource):
    """See RoomQuestionsConfig.

    Attributes:
        config: of it.
        answers: the vocabulary and what its answers are worth.
        kept: split -> its questions, by row.
    """

    info: RoomInfo

    def __init__(self, config: RoomQuestionsConfig):
        config.look()
        self.config, self.root = config, config.folder
        self.answers = config.targets()
        self.mean_sizes = torch.from_numpy(read_mean_sizes(self.root / MEAN_SIZES).sizes)
        self.rooms = Rooms(self.root, int(config.cache_gib * _GIB))
        found = {split: self._kept(split) for split in config.layout.there(self.root)}
        self.kept = {split: kept for split, kept in found.items() if kept}
        if TRAIN not in self.kept:
            raise DataError(
                f"{self.root.absolute()} has no question of {config.layout.title} to train on: {config.advice}"
            )
        self._check_features()
        trained, stored = self.kept[TRAIN], data_manifest(self.root)
        counts = {split: len(kept) for split, kept in self.kept.items()}
        self.info = RoomInfo(
            title_of(config.layout, stored, counts, config.described), self.answers.answers, counts,
            stored.synthetic, layout=config.layout.name,
            targets=any(one.object_ids for one in trained), poses=self._posed(trained),
        )  # fmt: skip
        for remark in self.info.remarks:
            say(remark)

    def loader(
        self, split: str, *, batch_size: int, train: bool, seed: int, rank: int = 0, world: int = 1, view: int = 0
    ) -> Loader:
        """See DataSource.loader."""
        return make_loader(
            self.split(split), train=train, batch_size=batch_size, seed=seed, rank=rank, world=world, view=view,
            workers=self.config.workers, prefetch=self.config.prefetch,
        )  # fmt: skip

    def exhibit(
        self, folder: Path, records: Sequence[Mapping[str, Any]], split: str, title: str
    ) -> tuple[str, str] | None:
        """See DataSource.exhibit: the rooms of the records, with all of their questions that there are records of."""
        from geo_lm4ve.indoor.exhibit import exhibit

        if not records:
            return None
        asked = [self.asked(record, split) for record in records]
        return exhibit(folder, asked, self.rooms.__getitem__, title, synthetic=self.info.synthetic)

    def asked(self, record: Mapping[str, Any], split: str, **more: Any) -> Asked:
        """One record of a split as pictures show it; ``more``: further fields."""
        from geo_lm4ve.indoor.exhibit import asked_of

        question = self.questions(split)[record["index"]]
        return asked_of(record, question, self.rooms[question.scene], self.config.layout, **more)

    def frame(self, scan: str) -> tuple[Float64[np.ndarray, "4 4"], Float64[np.ndarray, " 3"]]:
        """How the points of a scan lie in the raw one: ``Room.alignment`` and ``Room.raw_center``."""
        room = self.rooms[scan]
        return room.alignment, room.raw_center

    def split(self, split: str) -> RoomSplit:
        """One split as Samples; DataError if there is none."""
        config, questions = self.config, self.questions(split)
        scans = tuple(sorted({one.scene for one in questions}))
        rows = {scan: row for row, scan in enumerate(scans)}
        augment = RoomAugment(config.flip, config.rotate, config.shift)
        return RoomSplit(
            questions, scans, torch.tensor([rows[one.scene] for one in questions]), self.rooms,
            RoomRecipe(config.points, tuple(config.features), augment), self.answers if questions[0].answers else None,
            self.mean_sizes, config.questions_per_room, config.situated, self._posed(questions),
        )  # fmt: skip

    def questions(self, split: str) -> Sequence[Question]:
        """The questions of a split by row, as ``index`` of a batch counts; DataError if there is no such split."""
        if split not in self.kept:
            raise DataError(f"{self.root} has no split {split!r}, only {', '.join(self.kept)}")
        return self.kept[split]

    def _kept(self, split: str) -> Sequence[Question]:
        """Questions about rooms that are there; in train those that have an answer in the vocabulary."""
        asked = self.config.layout.read(self.root, split).questions
        there = {scan for scan in {one.scene for one in asked} if room_file(self.root, scan).is_file()}
        kept = [one for one in asked if one.scene in there]
        if lost := len(asked) - len(kept):
            say(f"{split}: {lost:,} of {len(asked):,} questions are left out, whose scans were not prepared")
        if split == TRAIN:
            known = [one for one in kept if self.answers.of(one.answers)]
            if lost := len(kept) - len(known):
                say(f"{split}: {lost:,} of {len(kept):,} questions have no answer in the vocabulary, they are left out")
            kept = known
        return [kept[row] for row in subsample(torch.arange(len(kept)), self.config.limit).tolist()]

    def _posed(self, questions: Sequence[Question]) -> bool:
        return self.config.situated and not are_placeholders(questions)

    def _check_features(self) -> None:
        """What only some folders have is looked for before training begins."""
        if "multiview" in self.config.features and self.rooms[self.kept[TRAIN][0].scene].multiview is None:
            raise DataError(
                f"{self.root} was prepared without image features: leave multiview out of data.features, or run "
                f"{command('prepare')} {self.config.name} with --multiview FILE.h5"
            )
