"""Questions about rooms of a prepared folder as a data source: the base of ScanQA and SQA3D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float64

from geo_lm4ve.answering.questions import Question
from geo_lm4ve.data.loaders import make_loader
from geo_lm4ve.data.manifest import data_manifest
from geo_lm4ve.data.split import subsample
from geo_lm4ve.indoor.augment import RoomAugment
from geo_lm4ve.indoor.data_config import RoomQuestionsConfig
from geo_lm4ve.indoor.info import RoomInfo, title_of
from geo_lm4ve.indoor.loader import RoomSplit
from geo_lm4ve.indoor.poses import are_placeholders
from geo_lm4ve.indoor.shown import RoomRecipe
from geo_lm4ve.indoor.stored.folder import MEAN_SIZES, room_file
from geo_lm4ve.indoor.stored.rooms import Rooms
from geo_lm4ve.indoor.stored.tables import read_mean_sizes
from geo_lm4ve.invocation import command
from geo_lm4ve.notice import say
from geo_lm4ve.parts.data import DataError, DataSource, Loader

if TYPE_CHECKING:
    from geo_lm4ve.indoor.viz.asked import Asked

_GIB = 1 << 30
TRAIN = "train"


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
