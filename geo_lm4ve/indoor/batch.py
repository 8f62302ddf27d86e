"""A batch of questions about scans: each scan once, however many questions are about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from geo_lm4ve.geometry.checks import all_finite
from geo_lm4ve.indoor.features import KINDS, width
from geo_lm4ve.indoor.objects import RoomObjects
from geo_lm4ve.language.texts import Texts, to_device


@dataclass(frozen=True)
class Truth:
    """What training and scoring need to know of B questions.

    Attributes:
        answers: (B, A) target of every answer of the vocabulary, in [0, 1]; a row of zeros: no right answer is in it.
        target: (B,) row (of K) of the object that the question is about; -1 where nobody says.
        poses: (B, 7) where the asker stands in the frame of the points: position x, y, z [m], quaternion x, y, z, w;
            None: the data have none.
        posed: (B,) False where ``poses`` are placeholders; None as ``poses``.
    """

    answers: Float[Tensor, "b a"]
    target: Int64[Tensor, " b"]
    poses: Float[Tensor, "b 7"] | None = None
    posed: Bool[Tensor, " b"] | None = None

    def to(self, device: torch.device | str) -> Truth:
        """The same on another device."""
        moved = (None if value is None else value.to(device) for value in (self.poses, self.posed))
        return Truth(self.answers.to(device), self.target.to(device), *moved)


@dataclass(frozen=True)
class RoomBatch:
    """B questions about S scans of one size.

    Attributes:
        points: (S, N, 3) [m], axis aligned, z up.
        features: (S, N, C) what the points carry besides, kind after kind; None for nothing.
        feature_names: kinds of the features in their order, out of ``features.KINDS``.
        room_of: row (of S) of the scan of each question, as plain numbers on the host.
        questions: B texts.
        situations: B texts: where the asker stands and what surrounds them (SQA3D); None: nothing is said.
        index: (B,) row of each question in its split.
        mean_sizes: (18, 3) mean size [m] of the boxes of each class, of the training data.
        objects: the scans' objects; None where they are not known.
        truth: the right answers; None where they are not known.
        names: id of each question, else ().
        scans: name of each scan, else ().
        leading: rows of the scans whose first question of the split is in this batch: each scan leads once over all
            batches and processes; None: nobody says.
        finite: all coordinates and features are known to be finite; False: nobody has looked yet.
    """

    points: Float[Tensor, "s n 3"]
    features: Float[Tensor, "s n c"] | None
    feature_names: tuple[str, ...]
    room_of: tuple[int, ...]
    questions: Texts
    index: Int64[Tensor, " b"]
    mean_sizes: Float[Tensor, "18 3"]
    situations: Texts | None = None
    objects: RoomObjects | None = None
    truth: Truth | None = None
    names: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    leading: tuple[int, ...] | None = None
    finite: bool = False

    def __post_init__(self) -> None:
        """ValueError unless the sizes of all parts agree."""
        found = 0 if self.features is None else self.features.shape[-1]
        if found != width(self.feature_names):
            kinds = ", ".join(f"{kind} ({KINDS[kind]})" for kind in self.feature_names) or "none"
            raise ValueError(f"features have {found} channels, their kinds {width(self.feature_names)}: {kinds}")
        counts = {"index": len(self.index), "questions": len(self.questions), "room_of": len(self.room_of)}
        counts |= {} if self.situations is None else {"situations": len(self.situations)}
        if len(set(counts.values())) > 1 or not set(self.room_of) <= set(range(len(self.points))):
            raise ValueError(f"{counts} must be of one length, and room_of name rows of {len(self.points)} scans")

    def __len__(self) -> int:
        """Number of questions B."""
        return len(self.room_of)

    def settled(self) -> RoomBatch:
        """The same batch after a look at its coordinates and features; ValueError names one that is not finite."""
        if not self.finite:
            all_finite("points", self.points)
            if self.features is not None and not self.features.isfinite().all():
                room, point, channel = (~self.features.isfinite()).nonzero()[0].tolist()
                raise ValueError(f"features[{room}, {point}, {channel}] is not finite; repair that scan")
        return replace(self, finite=True)

    def to(self, device: torch.device | str) -> RoomBatch:
        """The same batch, settled, on another device."""
        return replace(
            self.settled(),
            points=self.points.to(device),
            features=None if self.features is None else self.features.to(device),
            index=self.index.to(device),
            mean_sizes=self.mean_sizes.to(device),
            questions=to_device(self.questions, device),
            situations=None if self.situations is None else to_device(self.situations, device),
            objects=None if self.objects is None else self.objects.to(device),
            truth=None if self.truth is None else self.truth.to(device),
        )
