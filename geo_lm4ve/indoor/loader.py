"""How batches are made of questions and of the rooms that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from geo_lm4ve.answering.questions import Question
from geo_lm4ve.data.loaders import Draw
from geo_lm4ve.data.random import generator
from geo_lm4ve.indoor.batch import RoomBatch, Truth
from geo_lm4ve.indoor.objects import RoomObjects
from geo_lm4ve.indoor.poses import aligned_pose
from geo_lm4ve.indoor.shown import RoomRecipe, Shown
from geo_lm4ve.indoor.stored.rooms import Rooms
from geo_lm4ve.indoor.targets import AnswerTargets

ORDER, BATCH, VIEW = 0, 1, 2  # what random numbers are for; a key of their generators


@dataclass(frozen=True)
class RoomSplit:
    """The questions of one split as Samples (``data/loaders.py``).

    Attributes:
        questions: n of them, in the order of the file.
        scans: names of the rooms that they are about.
        scan_of: (n,) row of the room of each question.
        rooms: where rooms come from.
        recipe: how they are shown.
        targets: of answers; None: the right answers are withheld.
        mean_sizes: (18, 3) [m].
        per_room: training takes so many questions of a room at a time, as far as it has as many.
        situated: questions come with situations.
        posed: askers stand where their poses say; False: those are placeholders.
        view: (seed, v) of the augmented view that a batch for evaluation shows; None: the plain one.
    """

    questions: Sequence[Question]
    scans: tuple[str, ...]
    scan_of: Int64[Tensor, " n"]
    rooms: Rooms
    recipe: RoomRecipe
    targets: AnswerTargets | None
    mean_sizes: Float[Tensor, "18 3"]
    per_room: int = 1
    situated: bool = False
    posed: bool = False
    view: tuple[int, int] | None = None

    noun: ClassVar[str] = "questions"

    def __len__(self) -> int:
        """Number of questions."""
        return len(self.questions)

    def order(self, seed: int, epoch: int) -> Int64[Tensor, " n"]:
        """All questions of an epoch in random order; ``per_room`` questions of a room follow each other.

        The questions of each room are shuffled and cut into groups of that size, the last one of a room with what is
        left; the groups of all rooms are shuffled.
        """
        random = generator(seed, epoch, ORDER)
        shuffled = torch.randperm(len(self), generator=random)
        if self.per_room == 1:
            return shuffled
        by_room = shuffled[self.scan_of[shuffled].argsort(stable=True)]
        counts = torch.bincount(self.scan_of, minlength=len(self.scans))
        place = torch.arange(len(self)) - (counts.cumsum(0) - counts)[self.scan_of[by_room]]
        new = place % self.per_room == 0
        group = new.long().cumsum(0) - 1
        rank = torch.randperm(int(new.sum()), generator=random)
        return by_room[rank[group].argsort(stable=True)]

    def train_batch(self, rows: Int64[Tensor, " b"], draw: Draw) -> RoomBatch:
        """Questions of an epoch; each room is moved once, however many of them are about it.

        How it is moved hangs on the batch and the room, so that two processes that share a room show it alike.
        """
        return self._made(rows, (draw.seed, draw.epoch, BATCH, draw.number))

    def batch(self, rows: Int64[Tensor, " b"]) -> RoomBatch:
        """Questions with the first points of their rooms as they are stored, or in the augmented view."""
        made = self._made(rows, () if self.view is None else (*self.view, VIEW))
        first = {int((self.scan_of == scan).int().argmax()) for scan in self.scan_of[rows].unique().tolist()}
        leading = {room for row, room in zip(rows.tolist(), made.room_of) if row in first}
        return replace(made, leading=tuple(sorted(leading)))

    def augmented(self, seed: int, view: int) -> RoomSplit:
        """The same questions about rooms that are moved by random numbers of this view."""
        return replace(self, view=(seed, view))

    def _made(self, rows: Tensor, keys: tuple[int, ...]) -> RoomBatch:
        asked = [self.questions[row] for row in rows.tolist()]
        scans = list(dict.fromkeys(self.scan_of[rows].tolist()))
        room_of = [scans.index(scan) for scan in self.scan_of[rows].tolist()]
        shown = [self._shown(scan, keys) for scan in scans]
        features = torch.stack([one.features for one in shown]) if self.recipe.features else None
        return RoomBatch(
            torch.stack([one.points for one in shown]), features, self.recipe.features, tuple(room_of),
            tuple(one.text for one in asked), rows, self.mean_sizes,
            situations=tuple(one.situation for one in asked) if self.situated else None, objects=_objects(shown),
            truth=self._truth(asked, [shown[row] for row in room_of]), names=tuple(one.id for one in asked),
            scans=tuple(self.scans[scan] for scan in scans), finite=True,
        )  # fmt: skip

    def _shown(self, scan: int, keys: tuple[int, ...]) -> Shown:
        return self.recipe.show(self.rooms[self.scans[scan]], generator(*keys, scan) if keys else None)

    def _truth(self, asked: Sequence[Question], shown: Sequence[Shown]) -> Truth | None:
        if self.targets is None:
            return None
        answers = self.targets.rows([one.answers for one in asked])
        target = torch.tensor([_target(one, about.room.ids) for one, about in zip(asked, shown)])
        poses, posed = self._poses(asked, shown) if self.situated else (None, None)
        return Truth(answers, target, poses, posed)

    def _poses(
        self, asked: Sequence[Question], shown: Sequence[Shown]
    ) -> tuple[Float[Tensor, "b 7"], Bool[Tensor, " b"]]:
        """Where the askers stand; who does not say stands at the origin of the raw scan's frame, without a turn."""
        nowhere = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        poses = [
            about.poses(aligned_pose(one.pose or nowhere, about.room)[None])[0] for one, about in zip(asked, shown)
        ]
        return torch.stack(poses).float(), torch.tensor([self.posed and bool(one.pose) for one in asked])


def _target(question: Question, ids: np.ndarray) -> int:
    """Row of the first object that a question is about; -1 where there is none, or it has no box."""
    wanted = question.object_ids[:1]
    return next((row for row, one in enumerate(ids.tolist()) if one in wanted), -1)


def _objects(shown: Sequence[Shown]) -> RoomObjects:
    """The objects of the rooms, padded to as many as the fullest has (at least one)."""
    most = max(1, *(len(one.boxes) for one in shown))
    boxes, valid = torch.zeros(len(shown), most, 6), torch.zeros(len(shown), most, dtype=torch.bool)
    classes, ids = torch.zeros(len(shown), most, dtype=torch.long), torch.full((len(shown), most), -1)
    for row, one in enumerate(shown):
        count = len(one.boxes)
        boxes[row, :count], valid[row, :count] = one.boxes, True
        classes[row, :count], ids[row, :count] = torch.from_numpy(one.room.classes), torch.from_numpy(one.room.ids)
    return RoomObjects(boxes, classes, ids, valid, torch.stack([one.instances for one in shown]))
