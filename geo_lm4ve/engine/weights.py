"""Which weights a command works with: a run's selected checkpoint, a saved model, or an official file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geo_lm4ve.compare.runs import UNTRAINED
from geo_lm4ve.config import ConfigError
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.model import Model, ModelConfig, check_block
from geo_lm4ve.parts.run import RunConfig
from geo_lm4ve.pretrained import load_official
from geo_lm4ve.run_files import SELECTED, read_selected
from geo_lm4ve.saved import CARD, WEIGHTS, CheckpointError, read_card, read_weights
from geo_lm4ve.words import lines


def build_experiment_model(experiment: ExperimentConfig, outputs: int) -> Model:
    """The experiment's model with fresh weights (and its frozen block)."""
    return ModelConfig(experiment.encoder, experiment.block, experiment.bridge, experiment.head, outputs).build()


def selected(folder: Path | None) -> dict[str, Any]:
    """Which checkpoint of a run was selected and how (empty without a run folder)."""
    if folder is None or not (folder / SELECTED).is_file():
        return {}
    return read_selected(folder / SELECTED)


def checkpoint_folder(folder: Path) -> Path:
    """The ``save_pretrained`` folder that a run folder (or such a folder itself) stands for."""
    if (folder / CARD).is_file():
        return folder
    name = "best" if selected(folder).get("select_on") in ("val", "test") else "last"
    for candidate in (name, "best", "last"):
        if (folder / "checkpoints" / candidate / CARD).is_file():
            return folder / "checkpoints" / candidate
    raise CheckpointError(f"{folder} holds no checkpoint: train first, or give run.checkpoint=")


def card_of(source: Path) -> dict[str, Any]:
    """What the checkpoint of a run folder, or a saved model, says of itself."""
    return read_card(checkpoint_folder(source) / CARD)


def load_weights(model: Model, source: Path, run: RunConfig) -> str:
    """Load a run, a saved model or an official checkpoint file into ``model``; returns what was loaded."""
    if source.is_dir():
        folder = checkpoint_folder(source)
        check_block(model, card_of(folder)["block_reference"], run.allow_other_block)
        weights = read_weights(folder / WEIGHTS)
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            raise CheckpointError(
                f"{folder} was trained with another model: leave encoder, bridge and head as they were ({error})"
            ) from error
        return str(folder)
    report = load_official(model, source, allow=tuple(run.allow_missing), classes=run.classes.name)
    print(lines(report))
    return str(source)


def model_for_evaluation(
    experiment: ExperimentConfig, run: RunConfig, folder: Path | None, outputs: int
) -> tuple[Model, str]:
    """The model to score and where its weights came from.

    Raises:
        ConfigError: an experiment file without ``run.checkpoint`` whose model has something to train.
    """
    model = build_experiment_model(experiment, outputs)
    source = run.checkpoint or folder
    if source is not None:
        return model, load_weights(model, Path(source), run)
    if model.count()["trainable"]:
        raise ConfigError(
            "this experiment has trainable weights, but none were given: pass a run folder, or run.checkpoint=PATH "
            "(a run, a saved model or an official checkpoint file)"
        )
    return model, UNTRAINED
