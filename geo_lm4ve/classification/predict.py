"""Predictions for one's own files, without the data set on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from geo_lm4ve.engine.weights import begin_evaluation, card_of
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.saved import CheckpointError


@torch.no_grad()
def classify_files(
    experiment: ExperimentConfig, folder: Path, files: Sequence[Path], top: int = 5
) -> list[dict[str, Any]]:
    """Classify files with the selected checkpoint of a run.

    Args:
        experiment: of the run, perhaps with changes (its ``data`` part says how a file becomes a sample).
        folder: the run folder.
        files: anything that the data set's ``read`` understands.
        top: candidates per file.

    Returns:
        Per file: ``file`` and ``top``, a list of (class name, probability), best first.
    """
    card = card_of(Path(experiment.run.checkpoint or folder))
    classes = card["classes"]
    if not classes:
        raise CheckpointError(f"{folder} is not a classification run: its checkpoint names no classes")
    model = begin_evaluation(experiment, folder).model(card["outputs"])[0].eval()
    batch = experiment.data.read(files)
    scores, order = model(batch).float().softmax(-1).topk(min(top, len(classes)))
    return [
        {"file": str(file), "top": [(classes[c], p) for c, p in zip(best, probabilities)]}
        for file, best, probabilities in zip(files, order.tolist(), scores.tolist())
    ]
