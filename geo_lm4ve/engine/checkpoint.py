"""Resume checkpoints: everything that was trained and where training stood, in one file, never the frozen block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from geo_lm4ve.engine.resume_file import (
    FORMAT,
    check_optimizer,
    check_reference,
    check_scaler,
    check_tensors,
    parameters_of,
    read_resume,
    whole_position,
)
from geo_lm4ve.files import atomic_path
from geo_lm4ve.model import Backbone, Model, check_block
from geo_lm4ve.reading import Fields, reader
from geo_lm4ve.run_files import check_record
from geo_lm4ve.saved import CheckpointError

RESUME = Path("checkpoints") / "resume.pt"


@dataclass
class Position:
    """Where training stands.

    Attributes:
        epoch: the epoch under way, from 0.
        step: optimiser steps done in it.
        steps: optimiser steps done in all.
        sums: sums over the steps of this epoch so far (loss and its parts, by name): this process's share of them, in
            a checkpoint all processes'.
        best: value of the primary metric of the best checkpoint so far, or None.
        best_epoch: its epoch.
        seconds: wall time spent training so far.
    """

    epoch: int = 0
    step: int = 0
    steps: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    best: float | None = None
    best_epoch: int | None = None
    seconds: float = 0.0


def save_resume(
    folder: Path, model: Model, optimizer: torch.optim.Optimizer, position: Position, extra: dict[str, Any]
) -> None:
    """Write ``checkpoints/resume.pt`` atomically. ``extra``: training data, weight average, gradient scaler."""
    reference = model.bridge.block.reference
    content = {
        "format": FORMAT,
        "model": model.weights(),
        "optimizer": optimizer.state_dict(),
        "position": asdict(position),
        "block_reference": None if reference is None else {**vars(reference), "layers": list(reference.layers)},
        **extra,
    }
    with atomic_path(folder / RESUME) as temporary:
        torch.save(content, temporary)


@reader(CheckpointError, "a resume checkpoint of this run", "remove it to start the run again", at="folder")
def open_resume(folder: Path, backbone: Backbone | Model) -> dict[str, Any]:
    """The content of ``checkpoints/resume.pt``, as far as it can be looked at before there is data.

    Args:
        folder: of the run.
        backbone: what its encoder, block and bridge should be.

    Raises:
        CheckpointError: the file is damaged, of another format, or of another model.
        BlockError: the frozen block is another one than the run began with.
    """
    content = read_resume(folder / RESUME)
    fields = Fields(content)
    if fields["block_reference"] is not None:
        check_reference(fields.fields("block_reference"))
    check_block(backbone, content["block_reference"])
    whole_position(fields.fields("position"))
    if "trained_on" in content:
        check_record(fields.fields("trained_on"))
    if content.get("scaler"):
        check_scaler(fields.fields("scaler"))
    for name in ("encoder", "bridge"):
        kept = {key: value for key, value in fields.fields("model").values.items() if key.startswith(f"{name}.")}
        check_tensors(Fields(kept, "model."), _wanted(getattr(backbone, name), kept, f"{name}."))
    return content


@reader(CheckpointError, "a resume checkpoint of this run", "remove it to start the run again", at="folder")
def load_resume(folder: Path, content: dict[str, Any], model: Model, optimizer: torch.optim.Optimizer) -> Position:
    """Restore model and optimiser from what ``open_resume`` read in ``folder``; returns the position.

    Raises:
        CheckpointError: it is of another model, optimiser or training.
    """
    fields = Fields(content)
    for name in ("model", "average"):
        if name == "model" or name in content:
            stored = fields.fields(name)
            check_tensors(stored, _wanted(model, stored.values))
    check_optimizer(fields.fields("optimizer"), optimizer, parameters_of(optimizer))
    model.load_state_dict(content["model"])
    optimizer.load_state_dict(content["optimizer"])
    return Position(**whole_position(fields.fields("position")))


def _wanted(module: nn.Module, stored: Mapping[str, Any], prefix: str = "") -> dict[str, Tensor]:
    """What must be stored of a module: its state, and those of its frozen weights that are stored because they were
    trained from outside.
    """
    own = {prefix + name: value for name, value in module.named_parameters()}
    return {**{key: own[key] for key in own.keys() & stored.keys()}, **module.state_dict(prefix=prefix)}
