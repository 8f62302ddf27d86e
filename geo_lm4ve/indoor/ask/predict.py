"""Answers to questions about scans of one's own: a table, a file, pictures and a page with scenes to turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from geo_lm4ve.answering.questions import Question
from geo_lm4ve.config import ConfigError
from geo_lm4ve.data.manifest import data_manifest
from geo_lm4ve.engine.predict import predict_files
from geo_lm4ve.engine.weights import card_of
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import UserError, write_json
from geo_lm4ve.indoor.ask.outcome import decide
from geo_lm4ve.indoor.ask.records import room_records
from geo_lm4ve.indoor.ask.task import AnswerRoomsConfig
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.data_config import RoomQuestionsConfig
from geo_lm4ve.indoor.detection import RoomAnswers
from geo_lm4ve.indoor.encoders.config import Proposals, RoomEncoderConfig
from geo_lm4ve.indoor.exhibit import asked_of, exhibit
from geo_lm4ve.indoor.own_scans import situation_of
from geo_lm4ve.indoor.room import Room
from geo_lm4ve.indoor.viz.asked import Asked
from geo_lm4ve.parts.task import Answers, Record
from geo_lm4ve.viz.choice import evenly
from geo_lm4ve.words import short

LISTED, SCANS, LONGEST = 20, 12, 40
"""Rows of the table on a terminal; scans in pictures, evenly spaced over all; characters of an answer there."""


def answer_scans(
    experiment: ExperimentConfig, folder: Path | None, files: Sequence[Path], asked: Sequence[str], top: int, out: Path
) -> Answers:
    """Ask every question about every scan.

    Args:
        experiment: of the run; its ``data`` part says how a scan becomes a room.
        folder: the run folder.
        files: meshes or point files, and folders of them; z up, in metres.
        asked: the questions; where the model reads situations, each behind one.
        top: answers per question in the table.
        out: folder for ``answers.json``, ``rooms.png`` and ``rooms.html``.

    Raises:
        ConfigError: the experiment asks nothing about rooms, or its objects are the true ones, which a scan has not.
        UserError: no trained weights.
        DataError: no scan can be read, a text without its situation.
    """
    data, task, encoder = experiment.data, cast(AnswerRoomsConfig, experiment.task), experiment.encoder
    if not isinstance(data, RoomQuestionsConfig) or not isinstance(encoder, RoomEncoderConfig):
        raise ConfigError(f"data={data.name}, encoder={encoder.name}: no questions are asked about rooms")
    weights = experiment.run.checkpoint or folder
    if weights is None:
        raise UserError("answering needs a run folder with trained weights, not an experiment file")
    if encoder.proposals is Proposals.gt:
        raise ConfigError(
            f"{weights} was trained with true boxes for proposals, and nobody knows those of these scans: take a run "
            "with encoder.proposals=predicted"
        )
    card = card_of(Path(weights))
    parted = tuple(situation_of(text) if data.situated else ("", text) for text in asked)
    own = data.own()
    found = own.find(files).files
    own = replace(own, asked=parted, keep=frozenset(found[row] for row in evenly(len(found), SCANS)))
    records: list[Record] = []

    def take(paths: Sequence[Path], batch: RoomBatch, output: RoomAnswers) -> None:
        batch = batch.to(output.answers.device)
        outcome = decide(output, batch, kind=task.answer_loss, top=task.top, strict=task.strict_choice)
        records.extend(room_records(outcome, output, batch, card["classes"]))

    left_out = predict_files(experiment, folder, card["outputs"], files, take, own)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "answers.json", [_said(record) for record in records])
    drawn = [_drawn(record, own.kept[record["scan"]], data) for record in records if record["scan"] in own.kept]
    title = f"Answers of {experiment.name}{', trained on synthetic rooms' * data_manifest(data.folder).synthetic}"
    exhibit(out, drawn, own.kept.__getitem__, title, synthetic=False)  # the scans are the caller's
    rows = [_row(record, min(top, task.top)) for record in records]
    columns = ["file", "question", *(f"answer {rank + 1}" for rank in range(len(rows[0]) - 2))]
    return Answers(columns, rows, f"written: {out}/answers.json, rooms.png, rooms.html", left_out, shown=LISTED)


def _said(record: Record) -> dict[str, Any]:
    kept = {name: record[name] for name in ("question", "situation", "top", "box", "pose") if record.get(name)}
    return {"file": record["scan"], **kept}


def _drawn(record: Record, room: Room, data: RoomQuestionsConfig) -> Asked:
    question = Question(
        record["question_id"], record["scan"], record["question"], situation=record.get("situation", "")
    )
    return asked_of(record, question, room, data.layout)


def _row(record: Record, top: int) -> list[str]:
    text = " ".join(filter(None, (record.get("situation"), record["question"])))
    return [record["scan"], text, *(f"{short(answer, LONGEST)} {share:.3f}" for answer, share in record["top"][:top])]
