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
    if runs := sorted(path.parent.parent.parent for path in folder.glob(f"*/checkpoints/last/{CARD}")):
        raise CheckpointError(f"{folder} holds {len(runs)} runs and is none: choose one, the newest is {runs[-1]}")
    raise CheckpointError(f"{folder} holds no checkpoint: train first, or give run.checkpoint=")


def load_run(folder: Path | str, *, allow_other_block: bool = False, **block: Any) -> Model:
    """The trained model of a run folder in eval mode: the selected checkpoint, with the names of its classes.

    >>> import geo_lm4ve, tempfile, torch
    >>> with tempfile.TemporaryDirectory() as folder:  # stands for runs/quickstart/20260101-120000-0
    ...     geo_lm4ve.create_model("point_bert_tiny", num_classes=24).save_pretrained(folder)
    ...     model = geo_lm4ve.load_run(folder)
    >>> model(torch.randn(2, 1024, 3)).argmax(-1).shape
    torch.Size([2])

    ``model.classes`` names the outputs of a classifier, ``model.config`` is what the model was built from,
    ``model.encoder``, ``model.bridge`` and ``model.head`` are its parts, ``model.tokens(batch)`` is what the head gets.

    Args:
        folder: a run folder, or one that ``save_pretrained`` wrote.
        allow_other_block: see ``Model.from_pretrained``.
        **block: changes to the block's config, as there: ``source="dir:/models/llama-7b"``.

    Raises:
        CheckpointError: no run, or one without a checkpoint.
        BlockError: the frozen block is not at hand; names the file or hub id that is needed.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is no folder: give one that a run made, runs/<experiment>/<time>-<seed>")
    return Model.from_pretrained(checkpoint_folder(folder), allow_other_block=allow_other_block, **block)


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
