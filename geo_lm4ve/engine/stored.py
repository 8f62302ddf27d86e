"""Weights that were read: a saved model's, which go into the same model, and an official file's, which are fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from geo_lm4ve.model import Backbone, Model, check_block
from geo_lm4ve.parts.run import RunConfig
from geo_lm4ve.pretrained import LoadReport, check_official, load_official
from geo_lm4ve.saved import CheckpointError
from geo_lm4ve.words import lines, short

_LISTED = 3
"""Tensors and classes that a message about other ones names."""


@dataclass(frozen=True)
class Loaded:
    """What a model's weights are.

    Attributes:
        origin: where they came from.
        report: what became of every tensor of an official file; None for others.
    """

    origin: str
    report: LoadReport | None = None


@dataclass(frozen=True)
class SavedWeights:
    """The weights of a run or a saved model, read.

    Attributes:
        folder: that ``save_pretrained`` wrote.
        card: what the model says of itself.
        weights: all that was trained.
    """

    folder: Path
    card: dict[str, Any]
    weights: dict[str, Tensor]

    def check(self, backbone: Backbone, run: RunConfig) -> None:
        """Look whether they are of this model and block; CheckpointError, BlockError."""
        check_block(backbone, self.card["block_reference"], run.allow_other_block)
        model = backbone.rehearsed(self.card["outputs"])
        if model is not None:
            self._check_tensors(model.state_dict())

    def load(self, model: Model, run: RunConfig) -> Loaded:
        """Put them into a model."""
        if model.config is not None and model.config.outputs != self.card["outputs"]:
            raise CheckpointError(
                f"{self.folder} was trained for {self.card['outputs']} outputs, the data and task at hand have "
                f"{model.config.outputs}; choose data like those it was trained on"
            )
        self._check_tensors(model.state_dict())
        model.load_state_dict(self.weights)
        return Loaded(str(self.folder))

    def check_classes(self, classes: Sequence[str], title: str) -> None:
        """CheckpointError unless data have the classes that the outputs stand for, in their order."""
        own = self.card["classes"]
        if own and list(classes) != own:
            raise CheckpointError(
                f"{self.folder} tells {_named(own)} apart, {title} has {_named(classes)}: there is no score. Choose "
                "data with the same classes in the same order"
            )

    def _check_tensors(self, wanted: Mapping[str, Tensor]) -> None:
        _check_tensors(self.folder, self.weights, wanted)


@dataclass(frozen=True)
class PartWeights:
    """Some of the weights of a run, a saved model or a file of ours; the others of a model stay as they were drawn.

    Attributes:
        source: where they lie.
        weights: by their names.
        block_reference: which frozen block they were trained with, where that is recorded; matters behind it.
    """

    source: Path
    weights: dict[str, Tensor]
    block_reference: dict[str, Any] | None = None

    def check(self, backbone: Backbone, run: RunConfig) -> None:
        """Look whether the model has them, in these shapes, but for the head's; CheckpointError, BlockError."""
        if any(not name.startswith("encoder.") for name in self.weights):
            check_block(backbone, self.block_reference, run.allow_other_block)
        model = backbone.rehearsed(backbone.config.outputs)
        if model is not None:
            own = model.state_dict()
            known = {name: one for name, one in self.weights.items() if name not in own or not name.startswith("head.")}
            _check_tensors(self.source, known, {name: own[name] for name in known if name in own})

    def load(self, model: Model, run: RunConfig) -> Loaded:
        """Put them into a model."""
        own = model.state_dict()
        _check_tensors(self.source, self.weights, {name: own[name] for name in self.weights if name in own})
        model.load_state_dict({**own, **self.weights})
        parts = ", ".join(run.init_parts)
        print(f"  started from {len(self.weights)} weights of {self.source} ({parts}); the others are new")
        return Loaded(str(self.source))

    def check_classes(self, classes: Sequence[str], title: str) -> None:
        """Parts may go on with other classes."""
        return None


@dataclass(frozen=True)
class OfficialWeights:
    """An official checkpoint, the weights of a model of ours as a single file, or those of a pre-training, read.

    Attributes:
        path: of the file, or of the folder of a saved model.
        state: its tensors under the file's names.
        block_reference: which frozen block they were trained with, where that is recorded.
    """

    path: Path
    state: dict[str, Tensor]
    block_reference: dict[str, Any] | None = None

    def check(self, backbone: Backbone, run: RunConfig) -> None:
        """Look whether they are of this encoder and block, and of its sizes; CheckpointError, BlockError."""
        check_block(backbone, self.block_reference, run.allow_other_block)
        model = backbone.rehearsed(backbone.config.outputs)
        if model is not None:
            check_official(model, self.state, allow=tuple(run.allow_missing), place=self.path)

    def load(self, model: Model, run: RunConfig) -> Loaded:
        """Put them into a model and print what became of each tensor."""
        allow, classes = tuple(run.allow_missing), run.classes.name
        report = load_official(model, self.state, allow=allow, classes=classes, place=self.path)
        print(lines(report))
        return Loaded(str(self.path), report)

    def check_classes(self, classes: Sequence[str], title: str) -> None:
        """Such files do not say what their outputs stand for."""
        return None


def _named(classes: Sequence[str]) -> str:
    """How many classes, and the first ones."""
    shown = ", ".join(short(name, 40) for name in classes[:_LISTED])
    return f"{len(classes)} classes ({shown}{', …' if len(classes) > _LISTED else ''})" if classes else "no classes"


def _check_tensors(place: Path, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    found = {name: tuple(value.shape) for name, value in given.items()}
    own = {name: tuple(value.shape) for name, value in wanted.items()}
    wrong = [
        f"{name} is {found.get(name, 'missing')} in the file, {own.get(name, 'missing')} in the model"
        for name in sorted(found.keys() | own.keys())
        if found.get(name) != own.get(name)
    ]
    if wrong:
        more = f"; {len(wrong) - _LISTED} more" if len(wrong) > _LISTED else ""
        raise CheckpointError(
            f"{place} was trained with another model: leave encoder, bridge and head as they were "
            f"({'; '.join(wrong[:_LISTED])}{more})"
        )
