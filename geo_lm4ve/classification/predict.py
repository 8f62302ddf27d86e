"""Predictions for one's own files, without the data set on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from geo_lm4ve.engine.predict import predict_files
from geo_lm4ve.engine.weights import card_of
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.saved import CheckpointError


@dataclass(frozen=True)
class Classified:
    """What became of files of one's own.

    Attributes:
        predictions: per file, in their order: ``file``, and ``top``, a list of (class name, probability), best first.
        left_out: "file: reason" of each that could not be read.
    """

    predictions: Sequence[dict[str, Any]]
    left_out: Sequence[str]


def classify_files(experiment: ExperimentConfig, folder: Path, files: Sequence[Path], top: int = 5) -> Classified:
    """Classify files with the selected checkpoint of a run.

    Args:
        experiment: of the run, perhaps with changes (its ``data`` part says how a file becomes a sample).
        folder: the run folder.
        files: anything that the data set reads, and folders of it.
        top: candidates per file.

    Raises:
        CheckpointError: the run is none of classification.
        DataError: no file was given, or none can be read.
    """
    card = card_of(Path(experiment.run.checkpoint or folder))
    classes = card["classes"]
    if not classes:
        raise CheckpointError(f"{folder} is not a classification run: its checkpoint names no classes")
    predictions: list[dict[str, Any]] = []

    def take(paths: Sequence[Path], batch: Any, output: Tensor) -> None:
        scores, order = output.float().softmax(-1).topk(min(top, len(classes)))
        predictions.extend(
            {"file": str(file), "top": [(classes[c], p) for c, p in zip(best, probabilities)]}
            for file, best, probabilities in zip(paths, order.tolist(), scores.tolist())
        )

    left_out = predict_files(experiment, folder, card["outputs"], files, take)
    return Classified(predictions, left_out)
