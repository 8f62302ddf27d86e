"""Sums over a split of questions: exact matches, overlaps with targets, places, detection quality, losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from geo_lm4ve.answering.metrics.box_accuracy import THRESHOLDS
from geo_lm4ve.answering.metrics.localisation import DEGREES, METRES, Localisation
from geo_lm4ve.indoor.ask.outcome import Outcome
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.detection import RoomAnswers
from geo_lm4ve.indoor.losses.rooms import RoomLosses, known_objects
from geo_lm4ve.indoor.metrics.precision import DetectionCounts, find_all
from geo_lm4ve.parts.task import Metrics

RANKS = (1, 10)
"""k of EM@k."""
LOSSES = tuple(field.name for field in fields(RoomLosses))
_PLACES = (*(f"acc_at_{limit:g}m" for limit in METRES), *(f"acc_at_{limit:g}deg" for limit in DEGREES))


@runtime_checkable
class Judge(Protocol):
    """What the metrics ask of their task."""

    def outcome(self, output: RoomAnswers, batch: RoomBatch) -> Outcome:
        """What an output comes to."""

    def losses(self, output: RoomAnswers, batch: RoomBatch) -> RoomLosses:
        """Every loss before its weight."""

    def total(self, losses: RoomLosses) -> Tensor:
        """Their weighted sum."""


class RoomMetrics(Metrics):
    """See ``compute``.

    A scan counts once for its detection, however many batches and processes have questions about it.
    """

    def __init__(self, judge: Judge):
        self.judge, self.detection = judge, DetectionCounts()
        self.losses = torch.zeros(1 + len(LOSSES), dtype=torch.float64)
        self.questions, self.known, self.unanswerable = (torch.zeros((), dtype=torch.int64) for _ in range(3))
        self.right = torch.zeros(len(RANKS), dtype=torch.int64)
        self.targets, self.overlapping = _count(), torch.zeros(len(THRESHOLDS), dtype=torch.int64)
        self.posed, self.placed = _count(), torch.zeros(len(_PLACES), dtype=torch.float64)

    def update(self, output: RoomAnswers, batch: RoomBatch) -> None:
        """Add a batch."""
        outcome = self.judge.outcome(output, batch)
        self.questions += len(batch)
        self._add_losses(output, batch)
        self._add_answers(outcome, batch)
        self._add_overlaps(outcome)
        self._add_places(output, batch)
        self._add_detection(output, outcome, batch)

    def _add_losses(self, output: RoomAnswers, batch: RoomBatch) -> None:
        losses = self.judge.losses(output, batch)
        each = [self.judge.total(losses), *(getattr(losses, name) for name in LOSSES)]
        self.losses += len(batch) * torch.stack(each).double().cpu()

    def _add_answers(self, outcome: Outcome, batch: RoomBatch) -> None:
        if batch.truth is None:
            return
        right = batch.truth.answers > 0
        hits = right.gather(1, outcome.best)
        self.known += len(batch)
        self.unanswerable += (~right.any(1)).sum().cpu()
        self.right += torch.stack([hits[:, :rank].any(1).sum() for rank in RANKS]).cpu()

    def _add_overlaps(self, outcome: Outcome) -> None:
        self.targets += (~outcome.overlaps.isnan()).sum().cpu()
        self.overlapping += torch.stack([(outcome.overlaps >= limit).sum() for limit in THRESHOLDS]).cpu()

    def _add_places(self, output: RoomAnswers, batch: RoomBatch) -> None:
        truth = batch.truth
        if output.poses is None or truth is None or truth.poses is None or truth.posed is None:
            return
        said, right = (poses[truth.posed].double().cpu().numpy() for poses in (output.poses, truth.poses))
        self.posed += len(said)
        if len(said):
            near = Localisation().measure([[pose] for pose in said], [[pose] for pose in right])
            self.placed += torch.from_numpy(near.sum(0))

    def _add_detection(self, output: RoomAnswers, outcome: Outcome, batch: RoomBatch) -> None:
        objects = known_objects(batch)
        if objects is None or output.detection.truth is not None:
            return
        leading = range(len(batch.points)) if batch.leading is None else batch.leading
        if leading:
            self.detection.update(find_all(output.detection, outcome.survivors, objects), objects, leading)

    def state(self) -> dict[str, Tensor]:
        """The sums."""
        own = ("losses", "questions", "known", "unanswerable", "right", "targets", "overlapping", "posed", "placed")
        return {**{name: getattr(self, name) for name in own}, **self.detection.state()}

    def compute(self, state: Mapping[str, Tensor]) -> dict[str, float]:
        """Shares in [0, 1], unless said otherwise; what nothing is known about is not there.

        ``em_at_1`` and ``em_at_10`` of all questions: one whose right answers are all outside the vocabulary is missed
        (``unanswerable`` counts them). ``acc_at_025`` and ``acc_at_05`` of the questions with a target (``targets``).
        ``map_at_025`` and ``map_at_05`` of the scans. ``acc_at_0.5m``, ``acc_at_1m``, ``acc_at_15deg`` and
        ``acc_at_30deg`` of the questions whose asker's place is known, in the frame of the points. ``loss`` and its
        parts (``loss_vote``, …) are means over batches, each of which counts by its questions.
        """
        return {
            **_shares(("em_at_1", "em_at_10"), state["right"], state["known"]),
            **({"unanswerable": float(state["unanswerable"])} if state["known"] else {}),
            **_shares(("acc_at_025", "acc_at_05"), state["overlapping"], state["targets"]),
            **({"targets": float(state["targets"])} if state["targets"] else {}),
            **DetectionCounts.compute(state),
            **_shares(_PLACES, state["placed"], state["posed"]),
            **_shares(("loss", *(f"loss_{name}" for name in LOSSES)), state["losses"], state["questions"]),
        }


def _count() -> Tensor:
    return torch.zeros((), dtype=torch.int64)


def _shares(names: tuple[str, ...], sums: Tensor, count: Tensor) -> dict[str, float]:
    return dict(zip(names, (sums.double() / count).tolist())) if count else {}
