"""What a frozen block does to the tokens of proposals, drawn on their scans from above."""

from __future__ import annotations

from pathlib import Path

import torch

from geo_lm4ve.analysis.activation import KINDS
from geo_lm4ve.analysis.passage import Passage, passage
from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.weights import begin_evaluation
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.indoor.ask.task import AnswerRooms
from geo_lm4ve.indoor.source import RoomSource
from geo_lm4ve.indoor.viz.activation import activation_png
from geo_lm4ve.indoor.viz.asked import Activation
from geo_lm4ve.viz.choice import evenly
from geo_lm4ve.words import component


def activation_pictures(
    experiment: ExperimentConfig, folder: Path | None, out: Path, *, kind: str = "magnitude", count: int = 24
) -> list[Path]:
    """Draw the proposals of some questions, coloured by the activation of their tokens before and after the bridge.

    Args:
        experiment: of questions about rooms.
        folder: its run folder, or None for an experiment that names its weights.
        out: folder for the pictures, one per question.
        kind: ``magnitude`` or ``frequency`` (``analysis/activation.py``).
        count: questions, evenly spaced over ``run.split``.

    Raises:
        ConfigError: the data are no rooms, or an unknown kind.
    """
    if kind not in KINDS:
        raise ConfigError(f"unknown kind of activation {kind!r}; known: {', '.join(KINDS)}")
    begun = begin_evaluation(experiment, folder)
    data = experiment.data.build()
    task = experiment.task.build(data)
    if not isinstance(data, RoomSource) or not isinstance(task, AnswerRooms):
        raise ConfigError(f"token activation of proposals needs rooms, not data={experiment.data.name}")
    model, _ = begun.model(task.outputs)
    split, block = experiment.run.split, experiment.choices.get("block", experiment.block.name)
    samples = data.split(split)
    batch = samples.batch(torch.tensor(evenly(len(samples), count)))
    passed = passage(model.eval(), batch)
    paths = []
    for row, record in enumerate(task.records(passed.output, batch)):
        asked = data.asked(record, split, activation=_activation(passed, kind, row))
        path = out / f"activation_{component(asked.scan)}_{component(asked.id)}.png"
        title = f"Token activation ({kind}) · {experiment.name} · {block} · {asked.scan}"
        activation_png(path, data.rooms[asked.scan], asked, title, synthetic=data.info.synthetic)
        paths.append(path)
    return paths


def _activation(passed: Passage, kind: str, row: int) -> Activation:
    """Of the proposals of one question."""
    before, after = passed.before, passed.after
    values = [KINDS[kind](tokens.features, tokens.valid)[row].numpy() for tokens in (before, after)]
    centers = passed.output.detection.center[passed.output.room_of[row]].numpy()
    return Activation(centers, before.valid[row].numpy(), *values)
