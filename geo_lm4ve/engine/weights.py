"""Which weights a command works with: a run's selected checkpoint, a saved model, or an official file.

What can go wrong with a model does so before its data are generated or read: ``begin`` reads the checkpoint, builds
everything but the head, and compares the two; ``Beginning.model`` ends it once the data say how many outputs there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from geo_lm4ve.compare.runs import UNTRAINED
from geo_lm4ve.config import ConfigError, lookup
from geo_lm4ve.engine.stored import Loaded, OfficialWeights, PartWeights, SavedWeights
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.model import Backbone, Model, ModelConfig
from geo_lm4ve.parts.head import HeadConfig
from geo_lm4ve.parts.run import RunConfig
from geo_lm4ve.pretrained import read_checkpoint
from geo_lm4ve.pretrained.layouts import starts
from geo_lm4ve.pretrained.report import grouped
from geo_lm4ve.run_files import SELECTED, read_selected
from geo_lm4ve.saved import CARD, WEIGHTS, CheckpointError, read_card, read_weights


def model_config(experiment: ExperimentConfig, outputs: int | None = None) -> ModelConfig:
    """The experiment's model; without ``outputs`` with those of the published model, until the data tell."""
    known = outputs or experiment.head.default_outputs or 1
    return ModelConfig(experiment.encoder, experiment.block, experiment.bridge, experiment.head, known)


def build_experiment_model(experiment: ExperimentConfig, outputs: int) -> Model:
    """The experiment's model with fresh weights (and its frozen block)."""
    return model_config(experiment, outputs).build()


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


Weights = SavedWeights | OfficialWeights | PartWeights


def opened(source: Path, head: HeadConfig | None = None) -> SavedWeights | OfficialWeights:
    """The weights in a run folder, a saved model or an official file.

    Args:
        source: where they lie.
        head: of a model that starts from them: those of a pre-training that had another head are then taken like an
            official file's, without that head; None: the model has to be the one that was trained.

    Raises:
        CheckpointError: they cannot be read.
    """
    if not source.is_dir():
        return OfficialWeights(source, read_checkpoint(source))
    folder = checkpoint_folder(source)
    card, weights = read_card(folder / CARD), read_weights(folder / WEIGHTS)
    if head is not None and of_pretraining(card, head):
        return OfficialWeights(folder, weights, card["block_reference"])
    return SavedWeights(folder, card, weights)


def opened_parts(source: Path, parts: Sequence[str]) -> PartWeights:
    """Those weights of a run, a saved model or a file of ours whose names begin with one of ``parts``.

    Raises:
        CheckpointError: they cannot be read, or one of ``parts`` names nothing.
    """
    if source.is_dir():
        folder = checkpoint_folder(source)
        found, reference = read_weights(folder / WEIGHTS), read_card(folder / CARD)["block_reference"]
    else:
        found, reference = read_checkpoint(source), None
    for part in parts:
        if not any(starts(name, part) for name in found):
            raise CheckpointError(f"run.init_parts: {source} has no weights of {part!r}, but {grouped(found)}")
    return PartWeights(source, {name: one for name, one in found.items() if starts(name, *parts)}, reference)


def of_pretraining(card: Mapping[str, Any], head: HeadConfig) -> bool:
    """Whether a saved model has a head of pre-training that a model with ``head`` does not go on with."""
    saved = card["head"]["name"]
    return saved != head.name and not cast("type[HeadConfig]", lookup("head", saved)).lasting


@dataclass(frozen=True)
class Beginning:
    """A model that waits for its data: built but for the head, with a checkpoint that was looked at.

    Attributes:
        run: says how the checkpoint is loaded.
        backbone: all but the head.
        weights: what goes into the model; None: it stays as it was drawn.
    """

    run: RunConfig
    backbone: Backbone
    weights: Weights | None = None

    def model(self, outputs: int) -> tuple[Model, Loaded]:
        """The model with its weights, and what these are."""
        model = self.backbone.model(outputs)
        return model, Loaded(UNTRAINED) if self.weights is None else self.weights.load(model, self.run)

    def check_classes(self, classes: Sequence[str], title: str) -> None:
        """CheckpointError unless the weights tell the classes of the data apart, as far as they say."""
        if self.weights is not None:
            self.weights.check_classes(classes, title)


def begin(experiment: ExperimentConfig, source: Path | str | None = None, *, start: bool = False) -> Beginning:
    """Build and look at all of a model that needs no data.

    Args:
        experiment: whose model; seed torch's generator first for reproducible weights.
        source: a run folder, a saved model or an official file to take weights from.
        start: the model starts from them: those of a pre-training fit it without their head.

    Raises:
        CheckpointError: ``source`` cannot be read or is of another model.
        BlockError: the block's weights are not at hand, or not those of ``source``.
        ConfigError: a size of which no memory can be had; names it.
    """
    weights: Weights | None = None
    if source is not None and start and experiment.run.init_parts:
        weights = opened_parts(Path(source), experiment.run.init_parts)
    elif source is not None:
        weights = opened(Path(source), experiment.head if start else None)
    backbone = model_config(experiment).backbone()
    backbone.rehearsed(backbone.config.outputs)
    if weights is not None:
        weights.check(backbone, experiment.run)
    return Beginning(experiment.run, backbone, weights)


def begin_evaluation(experiment: ExperimentConfig, folder: Path | None) -> Beginning:
    """``begin`` for a model to score or predict with: of ``run.checkpoint``, else of the run in ``folder``.

    Raises:
        ConfigError: an experiment file without ``run.checkpoint`` whose model has something to train.
    """
    source = experiment.run.checkpoint or folder
    begun = begin(experiment, source)
    backbone, outputs = begun.backbone, begun.backbone.config.outputs
    if source is None and (backbone.rehearsed(outputs) or backbone.model(outputs)).count()["trainable"]:
        raise ConfigError(
            "this experiment has trainable weights, but none were given: pass a run folder, or run.checkpoint=PATH "
            "(a run, a saved model or an official checkpoint file)"
        )
    return begun
