"""How a run is carried out: where, on what, and which checkpoint counts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from geo_lm4ve.config import ConfigError, PartConfig, register

Precision = Enum("Precision", ["no", "bf16", "fp16"])
"""Mixed precision: ``no`` computes in float32."""


Classes = Enum("Classes", ["match", "slice", "fresh"])
"""See ``RunConfig.classes`` and ``pretrained.load_official``."""


class SelectOn(Enum):
    """Which checkpoint a score belongs to.

    ``val``: best on a part of train that was held out; ``test``: best on the test split, as the papers did (optimistic:
    said beside the score); ``last``: the last epoch.
    """

    val = "val"
    test = "test"
    last = "last"


@register("run", "default")
@dataclass
class RunConfig(PartConfig):
    """How a run is carried out.

    Attributes:
        root: run folders are made under ``root/<experiment name>/``.
        device: ``auto`` takes a CUDA device if there is one; ``cpu``; ``cuda``; ``cuda:1`` is the second of several.
        precision: mixed precision of the forward pass.
        select_on: which checkpoint the final score belongs to.
        evaluate_every: epochs between evaluations during training.
        checkpoint_every: epochs between resume checkpoints.
        checkpoint_steps: also write a resume checkpoint every so many optimiser steps; 0: only at epoch ends.
        max_steps: stop after this many optimiser steps (to try things out); None: train all epochs.
        split: split that the final score of a training run, and ``tools/evaluate.py``, is for.
        checkpoint: for evaluation without a run folder: a run, a ``save_pretrained`` folder or an official file.
        init_from: run, saved model or official checkpoint to start training from; of a pre-training without its head.
        init_parts: names (or prefixes) of the weights that are taken of ``init_from``, and the others start anew: a
            detector (``encoder.stages.detect``) under another block; empty: all of them, and they have to fit.
        allow_missing: keys (or prefixes) of the model that ``init_from``/``checkpoint`` may lack.
        classes: a checkpoint head with another number of classes is an error (``match``), keeps its first rows
            (``slice``: 40-output ScanObjectNN heads) or is replaced (``fresh``).
        allow_other_block: accept a frozen block with another fingerprint than the recorded one.
        pictures: draw the task's report at the end.
        cost: measure what a forward pass costs beside the final score: FLOPs and latency, in a few passes more.
        trackers: also log to ``tensorboard`` and/or ``wandb``.
    """

    name: str = "default"
    root: str = "runs"
    device: str = "auto"
    precision: Precision = Precision.no
    select_on: SelectOn = SelectOn.val
    evaluate_every: int = 1
    checkpoint_every: int = 1
    checkpoint_steps: int = 0
    max_steps: int | None = None
    split: str = "test"
    checkpoint: str | None = None
    init_from: str | None = None
    init_parts: list[str] = field(default_factory=list)
    allow_missing: list[str] = field(default_factory=list)
    classes: Classes = Classes.match
    allow_other_block: bool = False
    pictures: bool = True
    cost: bool = True
    trackers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse intervals below one and unknown trackers."""
        for key in ("evaluate_every", "checkpoint_every"):
            if getattr(self, key) < 1:
                raise ConfigError(f"run.{key} must be at least 1, got {getattr(self, key)}")
        if not re.fullmatch(r"[a-z]+(:\d+)?", self.device):
            raise ConfigError(f"run.device={self.device} is no device: choose auto, cpu, cuda or cuda:NUMBER")
        if self.init_parts and self.init_from is None:
            raise ConfigError(f"run.init_parts={self.init_parts} are parts of nothing: set run.init_from, too")
        if unknown := set(self.trackers) - {"tensorboard", "wandb"}:
            raise ConfigError(f"run.trackers: unknown {sorted(unknown)}; known: tensorboard, wandb")

    def check_splits(self, data: str, splits: Iterable[str], *, selects: bool) -> None:
        """The splits that the final score and, where training ``selects``, selection need must be there.

        Raises:
            ConfigError: one of them is not among ``splits``, those of ``data``.
        """
        known = list(splits)
        if selects and self.select_on is SelectOn.val and "val" not in known:
            raise ConfigError(
                f"run.select_on=val, but {data} has no validation split: set data.val_fraction above 0, or choose "
                "run.select_on=last (or test, as the papers did)"
            )
        if selects and self.select_on is SelectOn.test and "test" not in known:
            raise ConfigError(f"run.select_on=test, but {data} has only {', '.join(known)}: choose run.select_on=last")
        if self.split not in known:
            raise ConfigError(f"run.split={self.split}, but {data} has only {', '.join(known)}")
