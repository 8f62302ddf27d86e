"""What a task is: loss, metrics, per-item records and the report of one kind of prediction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from geo_lm4ve.config import PartConfig
from geo_lm4ve.files import UserError
from geo_lm4ve.parts.data import DataSource

Record = dict[str, Any]
"""What is kept of one sample: plain numbers, strings and lists, with ``index`` = its row in the split."""


@dataclass(frozen=True)
class Loss:
    """A scalar to minimise and its named parts (detached, for the log).

    Attributes:
        total: a mean over the samples of a batch, or over what its samples hold (agents, points).
        parts: means over the same.
        weight: how many of these there were, a scalar: batches of other processes, and accumulated ones, then count by
            theirs, so that training takes the mean over all. None: samples, of which every batch has as many.
    """

    total: Tensor
    parts: Mapping[str, Tensor] = field(default_factory=dict)
    weight: Tensor | None = None


class Metrics(ABC):
    """Accumulates over batches. All state is in sums, so that processes can be added up."""

    @abstractmethod
    def update(self, output: Any, batch: Any) -> None:
        """Add one batch."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """Tensors that are summed over processes (float64 or int64, fixed shapes)."""

    @abstractmethod
    def compute(self, state: Mapping[str, Tensor]) -> dict[str, float]:
        """Flat metric names -> values, from the summed state."""


class Task(ABC):
    """Everything the engine must know about one kind of prediction.

    Attributes:
        primary: the metric that model selection looks at.
        higher_is_better: its direction.
        outputs: number of outputs the head must have.
        votes: evaluation combines the predictions for this many augmented views of each sample; 0: one plain view.
        classes: names of the outputs, where each stands for a class of the data; else ().
    """

    primary: ClassVar[str]
    higher_is_better: ClassVar[bool]
    outputs: int
    votes: int = 0
    classes: Sequence[str] = ()

    @abstractmethod
    def loss(self, output: Any, batch: Any) -> Loss:
        """The training loss of one batch, averaged over its samples or over what its ``weight`` counts."""

    @abstractmethod
    def metrics(self) -> Metrics:
        """A fresh accumulator."""

    @abstractmethod
    def records(self, output: Any, batch: Any) -> list[Record]:
        """One record per sample of the batch."""

    def combine(self, outputs: Sequence[Any]) -> Any:
        """One prediction out of those for several views of the same batch (voting): the mean."""
        return torch.stack(list(outputs)).mean(0)

    def files(self, folder: Path, results: Mapping[str, Any], records: Sequence[Record]) -> list[Path]:
        """Write what other programs read besides results and records (submission files, tables); returns the files."""
        return []

    def check_records(self, records: Sequence[Record]) -> None:
        """Look whether records that were read from a file are of this task and its data, so that ``report`` can draw.

        Raises:
            ValueError, KeyError: what is wrong with them; the caller adds the file.
        """
        return None

    @abstractmethod
    def report(self, folder: Path, results: Mapping[str, Any], records: Sequence[Record], data: DataSource) -> None:
        """Draw this task's pictures and pages into the run folder."""

    def protocol(self) -> dict[str, Any]:
        """What a number's reader must know about how it was made."""
        return {}


@dataclass(frozen=True)
class Answers:
    """What was predicted for files of one's own, to be printed.

    Attributes:
        columns: headings of a table.
        rows: its cells; the first of a row is the path of its file, as it was given.
        note: a line below it, e.g. which files were written.
        left_out: file and reason of what was not predicted; the command names them last and fails.
        shown: rows that a terminal shows, of those that files hold as well; None: all.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    left_out: Sequence[str] = ()
    shown: int | None = None


@dataclass
class TaskConfig(PartConfig):
    """Base of the ``task`` group.

    Attributes:
        scores: class of the predictions that it judges; None: not said, and nothing is refused for it.
    """

    scores: ClassVar[type | None] = None

    def build(self, data: DataSource) -> Task:
        """The task for this data set; ConfigError when they do not fit."""
        raise NotImplementedError

    def predict(
        self, experiment: Any, folder: Path | None, files: Sequence[Path], *, top: int, out: Path | None
    ) -> Answers:
        """Predict files of one's own, without the data set on disk (``tools/predict.py``).

        Args:
            experiment: the ExperimentConfig; its ``data`` part says how a file becomes a sample.
            folder: run folder with the trained weights; None: an experiment file was given.
            files: what to predict, and folders of it.
            top: answers per file to print.
            out: file or folder to write to, as the task has it; None: its default.

        Raises:
            UserError: no file can be read, weights are missing, or this task predicts no files.
        """
        raise UserError(f"task={self.name} cannot predict single files; score a split with tools/evaluate.py")

    def answer(
        self,
        experiment: Any,
        folder: Path | None,
        files: Sequence[Path],
        asked: Sequence[str],
        *,
        top: int,
        out: Path | None,
    ) -> Answers:
        """Answer questions about files of one's own (``tools/predict.py --ask``); else as ``predict``.

        Args:
            experiment: as of ``predict``.
            folder: as of ``predict``.
            files: what is asked about, and folders of it.
            asked: questions about each of them, at least one.
            top: answers per question to print.
            out: as of ``predict``.

        Raises:
            UserError: as of ``predict``, or this task answers nothing.
        """
        raise UserError(f"task={self.name} answers no questions: leave --ask out")

    def show(self, experiment: Any, folder: Path, out: Path, *, activation: str, probe: str, count: int) -> list[Path]:
        """Draw what the block of a run does to the tokens of some samples (``tools/visualize.py --activation``).

        Args:
            experiment: the ExperimentConfig of the run; its data must be at hand.
            folder: the run folder.
            out: folder for the pictures.
            activation: which measure of ``analysis/activation.py``: ``magnitude`` or ``frequency``.
            probe: ``before`` or ``after`` the bridge.
            count: samples.

        Returns:
            The files written.

        Raises:
            UserError: something is missing, or this task has no such picture.
        """
        raise UserError(f"task={self.name} has no picture of token activation; leave --activation out")
