"""What a frozen block does to the tokens of samples that are classified, drawn on them by their data source."""

from __future__ import annotations

from pathlib import Path

import torch

from geo_lm4ve.analysis.activation import KINDS
from geo_lm4ve.analysis.passage import passage
from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.weights import begin_evaluation
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.parts.task import Task
from geo_lm4ve.viz.choice import evenly


def activation_picture(
    experiment: ExperimentConfig, folder: Path | None, out: Path, *, kind: str = "magnitude", count: int = 24
) -> list[Path]:
    """Draw ``activation.png``: some samples, coloured by the activation of their tokens before and after the bridge.

    Args:
        experiment: of a classification.
        folder: its run folder, or None for an experiment that names its weights.
        out: folder for the picture.
        kind: ``magnitude`` or ``frequency`` (``analysis/activation.py``).
        count: samples, evenly spaced over ``run.split``.

    Raises:
        ConfigError: an unknown kind.
        DataError: this kind of data has no such picture.
    """
    if kind not in KINDS:
        raise ConfigError(f"unknown kind of activation {kind!r}; known: {', '.join(KINDS)}")
    begun = begin_evaluation(experiment, folder)
    data = experiment.data.build()
    task: Task = experiment.task.build(data)
    samples = data.split(experiment.run.split)
    model, _ = begun.model(task.outputs)
    batch = samples.batch(torch.tensor(evenly(len(samples), count)))
    passed = passage(model.eval(), batch)
    block = experiment.choices.get("block", experiment.block.name)
    title = f"Token activation ({kind}) · {experiment.name} · {block} · {data.info.title}"
    path = out / "activation.png"
    records = task.records(passed.output, batch)
    data.draw_tokens(path, batch, {"before": passed.before, "after": passed.after}, KINDS[kind], records, title)
    return [path]
