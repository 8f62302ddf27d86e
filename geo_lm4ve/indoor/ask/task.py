"""Answering questions about rooms by choosing from a vocabulary, as ScanQA and SQA3D score it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.files import UserError
from geo_lm4ve.indoor.ask.metrics import LOSSES, RoomMetrics
from geo_lm4ve.indoor.ask.outcome import Outcome, decide
from geo_lm4ve.indoor.ask.records import check_records, room_records
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.detection import RoomAnswers
from geo_lm4ve.indoor.losses.questions import AnswerLoss
from geo_lm4ve.indoor.losses.rooms import RoomLosses, room_losses
from geo_lm4ve.parts.data import DataSource
from geo_lm4ve.parts.task import Answers, Loss, Record, Task, TaskConfig

Asked = Enum("Asked", ["scanqa", "sqa3d"])
"""Whose evaluation reads the file of predictions."""
TRUTHS = {Asked.scanqa: ("answers", "objects", "targets"), Asked.sqa3d: ("answers", "objects", "poses")}
"""What the annotations of each say."""


@register("task", "answer_rooms")
@dataclass
class AnswerRoomsConfig(TaskConfig):
    """Answer questions about scans.

    The loss is ``amplify`` times the weighted sum of the parts; weights are the defaults of ScanQA and of SQA3D
    (``scripts/train.py`` of both). A part is off for the scans and questions of which its truth is not known, and where
    the model does not say it; those of the proposals also where these are the true boxes.

    Attributes:
        protocol: ``scanqa`` writes the official submission, ``sqa3d`` answers and, where they are predicted, poses.
        answer_loss: ``bce`` judges every answer of the vocabulary by itself, ``ce`` all against one.
        vote_weight: of the votes of seed points.
        objectness_weight: of whether a proposal is an object.
        box_weight: of centre, heading and size of proposals.
        semantic_weight: of the class of proposals.
        reference_weight: of which proposal a question is about.
        language_weight: of the class of the object that a question is about.
        answer_weight: of the answer.
        pose_weight: of where the asker stands (SQA3D's ``--use_aux_situation``).
        position_weight: of the position in the loss of the pose.
        rotation_weight: of the quaternion in it.
        amplify: of the sum.
        top: answers that a record keeps, the best first; EM@10 needs 10.
        strict_choice: the predicted box is always one that is taken for an object and not suppressed; as published, the
            others score 0, and the first of them wins where all of these score below 0.
    """

    scores: ClassVar[type | None] = RoomAnswers

    name: str = "answer_rooms"
    protocol: Asked = Asked.scanqa
    answer_loss: AnswerLoss = AnswerLoss.bce
    vote_weight: float = 1.0
    objectness_weight: float = 0.5
    box_weight: float = 1.0
    semantic_weight: float = 0.1
    reference_weight: float = 0.1
    language_weight: float = 0.1
    answer_weight: float = 0.1
    pose_weight: float = 0.1
    position_weight: float = 1.0
    rotation_weight: float = 1.0
    amplify: float = 10.0
    top: int = 10
    strict_choice: bool = False

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        names = [*(f"{name}_weight" for name in (*LOSSES, "position", "rotation")), "amplify"]
        for name in names:
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"task.{name}={getattr(self, name)} must be a number from 0 on")
        if self.top < 10:
            raise ConfigError(f"task.top={self.top} must be at least 10: EM@10 looks at ten answers")

    def build(self, data: DataSource) -> AnswerRooms:
        """The task over the vocabulary of ``data``."""
        return AnswerRooms(self, data)

    def predict(
        self, experiment: Any, folder: Path | None, files: Sequence[Path], *, top: int, out: Path | None
    ) -> Answers:
        """See TaskConfig.predict: nothing is said of a scan unasked."""
        raise UserError("what is to be answered? Add --ask 'What color is the chair?', as often as you like")

    def answer(
        self,
        experiment: Any,
        folder: Path | None,
        files: Sequence[Path],
        asked: Sequence[str],
        *,
        top: int,
        out: Path | None,
    ) -> Answers:
        """See TaskConfig.answer: answers, pictures and a page in the folder ``out``, by default answers/."""
        from geo_lm4ve.indoor.ask.predict import answer_scans

        return answer_scans(experiment, folder, files, asked, top, out or Path("answers"))

    def show(self, experiment: Any, folder: Path, out: Path, *, activation: str, probe: str, count: int) -> list[Path]:
        """See TaskConfig.show: a picture per question, its proposals on both sides of the bridge."""
        from geo_lm4ve.indoor.ask.activation import activation_pictures

        return activation_pictures(experiment, folder, out, kind=activation, count=count)


class AnswerRooms(Task):
    """See AnswerRoomsConfig; the head's outputs are the answers of the vocabulary, ``data.info.classes``."""

    primary = "em_at_1"
    higher_is_better = True

    def __init__(self, config: AnswerRoomsConfig, data: DataSource):
        if len(data.info.classes) < 2:
            raise ConfigError(
                f"task=answer_rooms chooses from a vocabulary of answers; {data.info.title} has "
                f"{len(data.info.classes)}: choose data with questions"
            )
        self.config, self.data = config, data
        self.classes = tuple(data.info.classes)
        self.outputs = len(self.classes)
        self.proposals, self.known = set[str](), set[str]()
        self._last: tuple[RoomAnswers, Outcome] | None = None

    def losses(self, output: RoomAnswers, batch: RoomBatch) -> RoomLosses:
        """Every part, before its weight."""
        config = self.config
        position, rotation = config.position_weight, config.rotation_weight
        return room_losses(output, batch, answer=config.answer_loss, position=position, rotation=rotation)

    def total(self, losses: RoomLosses) -> Tensor:
        """The amplified sum of the weighted parts."""
        weighted = [getattr(self.config, f"{name}_weight") * getattr(losses, name) for name in LOSSES]
        total: Tensor = self.config.amplify * sum(weighted)
        return total

    def loss(self, output: RoomAnswers, batch: RoomBatch) -> Loss:
        """Losses of the detection are means over proposals, seeds and objects of the scans; others over questions."""
        losses = self.losses(output, batch)
        parts = {f"loss_{name}": getattr(losses, name).detach() for name in LOSSES}
        if batch.truth is not None:
            right = batch.truth.answers.gather(1, output.answers.argmax(-1, keepdim=True)) > 0
            parts["train_em_at_1"] = right.float().mean()
        return Loss(self.total(losses), parts)

    def outcome(self, output: RoomAnswers, batch: RoomBatch) -> Outcome:
        """What the output comes to; metrics and records of a batch ask for the same."""
        if self._last is None or self._last[0] is not output:
            config = self.config
            found = decide(output, batch, kind=config.answer_loss, top=config.top, strict=config.strict_choice)
            self._last = output, found
            self.proposals.add("predicted" if output.detection.truth is None else "gt")
            self.known |= known_truths(batch)
        return self._last[1]

    def metrics(self) -> RoomMetrics:
        """Exact matches, overlaps, places, detection quality and losses."""
        return RoomMetrics(self)

    def records(self, output: RoomAnswers, batch: RoomBatch) -> list[Record]:
        """One record per question: what was answered and what is right."""
        return room_records(self.outcome(output, batch), output, batch, self.classes)

    def protocol(self) -> dict[str, Any]:
        """Whose rules, how a box is chosen, and of what was scored: whence the proposals came, what nobody knows."""
        protocol, scored = self.config.protocol, {}
        if self.proposals:
            missing = [name for name in TRUTHS[protocol] if name not in self.known]
            scored = {"proposals": " and ".join(sorted(self.proposals))}
            scored |= {"not known, not scored": ", ".join(missing)} if missing else {}
        choice = "strict" if self.config.strict_choice else "as published"
        return {"protocol": protocol.name, "choice of the box": choice, **scored}

    def files(self, folder: Path, results: Mapping[str, Any], records: Sequence[Record]) -> list[Path]:
        """``pred.SPLIT.json``, for ``tools/evaluate.py --predictions`` and the servers of the data sets."""
        from geo_lm4ve.indoor.ask.files import write_predictions

        split = str(results["protocol"]["split"])
        return [write_predictions(folder, split, records, self.config.protocol.name, self.data)]

    def check_records(self, records: Sequence[Record]) -> None:
        """See Task.check_records."""
        check_records(records, self.classes)

    def report(self, folder: Path, results: Mapping[str, Any], records: Sequence[Record], data: DataSource) -> None:
        """Training curves and one HTML page."""
        from geo_lm4ve.indoor.ask.report import write_report

        write_report(folder, results, records, data)


def known_truths(batch: RoomBatch) -> set[str]:
    """Which of ``TRUTHS`` are known of any question or scan of a batch; asks its device."""
    truth, objects = batch.truth, batch.objects
    known = {
        "answers": truth is not None,
        "objects": objects is not None and bool(objects.valid.any()),
        "targets": truth is not None and bool((truth.target >= 0).any()),
        "poses": truth is not None and truth.posed is not None and bool(truth.posed.any()),
    }
    return {name for name, is_known in known.items() if is_known}
