"""Resume checkpoints: everything that was trained and where training stood, in one file, never the frozen block."""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from geo_lm4ve.files import atomic_path
from geo_lm4ve.model import Model, check_block
from geo_lm4ve.saved import CheckpointError

FORMAT = 1
RESUME = Path("checkpoints") / "resume.pt"


@dataclass
class Position:
    """Where training stands.

    Attributes:
        epoch: the epoch under way, from 0.
        step: optimiser steps done in it.
        steps: optimiser steps done in all.
        sums: sums over the steps of this epoch so far (loss and its parts, by name).
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
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "position": asdict(position),
        "block_reference": None if reference is None else {**vars(reference), "layers": list(reference.layers)},
        **extra,
    }
    with atomic_path(folder / RESUME) as temporary:
        torch.save(content, temporary)


def load_resume(folder: Path, model: Model, optimizer: torch.optim.Optimizer) -> tuple[Position, dict[str, Any]]:
    """Restore model and optimiser from ``checkpoints/resume.pt``; returns the position and the extras.

    Raises:
        CheckpointError: the file is damaged or of another format.
        BlockError: the frozen block is another one than the run began with.
    """
    path = folder / RESUME
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); remove it to start this run again") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a resume checkpoint of format {FORMAT}; start a new run")
    check_block(model, content["block_reference"])
    model.load_state_dict(content["model"])
    optimizer.load_state_dict(content["optimizer"])
    return Position(**content["position"]), content
