"""Classification: cross entropy, overall and mean class accuracy, confusion matrix, contact sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from geo_lm4ve.classification.metrics import confusion_matrix, mean_class_accuracy, overall_accuracy
from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.files import UserError, write_json
from geo_lm4ve.parts.data import DataSource
from geo_lm4ve.parts.task import Answers, Loss, Metrics, Record, Task, TaskConfig
from geo_lm4ve.reading import Fields
from geo_lm4ve.words import short

SHOWN = 60
"""Characters of a class name in the printed table; files hold it whole."""

BEST = 5
"""Scores among which the label counts as found, for the accuracy of that name."""

SmoothedOver = Enum("SmoothedOver", ["all", "wrong"])
"""Classes that label smoothing spreads its mass over: all n (PyTorch), or the n - 1 wrong ones (OpenPoints)."""


@register("task", "classify")
@dataclass
class ClassifyConfig(TaskConfig):
    """Single-label classification.

    Attributes:
        label_smoothing: the mass eps that is taken from the right class.
        smoothed_over: the classes that it is spread over: ``all`` n of them, or the n - 1 ``wrong`` ones, which is eps
            n / (n - 1) over all.
        top: how many candidates a record keeps.
        votes: evaluate the mean prediction over this many augmented views of each sample; 0: one plain view.
    """

    scores: ClassVar[type | None] = Tensor

    name: str = "classify"
    label_smoothing: float = 0.0
    smoothed_over: SmoothedOver = SmoothedOver.all
    top: int = 5
    votes: int = 0

    def smoothing(self, classes: int) -> float:
        """PyTorch's ``label_smoothing`` for so many classes; ConfigError if the right one is no likelier then."""
        over_all = classes / (classes - 1) if self.smoothed_over is SmoothedOver.wrong else 1.0
        if not 0 <= self.label_smoothing * over_all < 1:
            raise ConfigError(
                f"task.label_smoothing={self.label_smoothing} over {self.smoothed_over.name} of {classes} classes must "
                "be at least 0, and so small that the right class stays the likeliest"
            )
        return self.label_smoothing * over_all

    def build(self, data: DataSource) -> Classify:
        """The task over the classes of ``data``."""
        return Classify(self, data.info.classes, data.info.candidates)

    def predict(
        self, experiment: Any, folder: Path | None, files: Sequence[Path], *, top: int, out: Path | None
    ) -> Answers:
        """See TaskConfig.predict: the best classes of each file; ``out`` is a JSON file, by default there is none."""
        from geo_lm4ve.classification.predict import classify_files

        if folder is None:
            raise UserError("classifying needs a run folder with trained weights, not an experiment file")
        classified = classify_files(experiment, folder, files, top)
        if out:
            write_json(out, classified.predictions)
        rows = [
            [
                prediction["file"],
                *(f"{short(name, SHOWN)} {probability:.3f}" for name, probability in prediction["top"]),
            ]
            for prediction in classified.predictions
        ]
        columns = ["file", *(f"top {rank + 1}" for rank in range(max(map(len, rows)) - 1))]
        return Answers(columns, rows, left_out=classified.left_out)

    def show(self, experiment: Any, folder: Path, out: Path, *, activation: str, probe: str, count: int) -> list[Path]:
        """See TaskConfig.show: both sides of the bridge side by side, whatever ``probe`` says."""
        from geo_lm4ve.classification.activation import activation_picture

        return activation_picture(experiment, folder, out, kind=activation, count=count)


class Classify(Task):
    """See ClassifyConfig.

    Args:
        config: its values.
        classes: names by label.
        candidates: labels that samples can have, where these are not all: the scores of the others do not count.
    """

    primary = "overall_accuracy"
    higher_is_better = True

    def __init__(self, config: ClassifyConfig, classes: Sequence[str], candidates: Sequence[int] = ()):
        if len(classes) < 2:
            raise ConfigError(f"task=classify needs a data set with at least two classes, this one has {len(classes)}")
        self.config = config
        self.classes = list(classes)
        self.outputs, self.votes = len(classes), config.votes
        self.label_smoothing = config.smoothing(len(classes))
        self.excluded = torch.ones(self.outputs if candidates else 0, dtype=torch.bool)
        self.excluded[list(candidates)] = False

    def loss(self, output: Tensor, batch: Any) -> Loss:
        """Cross entropy of logits (B, C); of samples that were mixed, against the batch's ``targets`` (B, C).

        ``train_accuracy`` of mixed samples asks for the class with the larger share.
        """
        targets = getattr(batch, "targets", None)
        wanted = batch.labels if targets is None else targets.to(_wide(output).dtype)
        total = F.cross_entropy(_wide(output), wanted, label_smoothing=self.label_smoothing)
        labels = batch.labels if targets is None else targets.argmax(-1)
        correct = (output.argmax(-1) == labels).float().mean()
        return Loss(total, {"train_accuracy": correct.detach()})

    def metrics(self) -> ClassificationMetrics:
        """Overall and mean class accuracy, and how often the label is among the best five scores."""
        return ClassificationMetrics(self.outputs, self.label_smoothing, self.excluded)

    def records(self, output: Tensor, batch: Any) -> list[Record]:
        """Row in the split, label, prediction and the best candidates of each sample."""
        scores = judged(output, self.excluded)
        asked = self.outputs - int(self.excluded.sum())
        probabilities, order = scores.softmax(-1).topk(min(self.config.top, asked))
        rows = zip(batch.index.tolist(), batch.labels.tolist(), order.tolist(), probabilities.tolist())
        return [
            {
                "index": index,
                "label": self.classes[label],
                "prediction": self.classes[best[0]],
                "correct": best[0] == label,
                "top": [[self.classes[c], round(p, 6)] for c, p in zip(best, scores)],
            }
            for index, label, best, scores in rows
        ]

    def protocol(self) -> dict[str, Any]:
        """Voting, and classes that are out of the question, change what an accuracy means."""
        asked = self.outputs - int(self.excluded.sum())
        return {"votes": self.votes, **({"classes": f"{asked} of {self.outputs}"} if asked < self.outputs else {})}

    def check_records(self, records: Sequence[Record]) -> None:
        """See Task.check_records: names are classes of the data, candidates are names with numbers."""
        for record in records:
            fields = Fields(record, f"sample {record['index']}: ")
            top = fields["top"]
            pairs = isinstance(top, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in top)
            if not pairs or not all(isinstance(p, int | float) and 0 <= p <= 1 for _, p in top):
                raise ValueError(f"{fields.prefix}top is not a list of classes with their probabilities")
            for name in (fields.text("label"), fields.text("prediction"), *(name for name, _ in top)):
                if name not in self.classes:
                    raise ValueError(f"{fields.prefix}{str(name)[:60]!r} is no class of the data")
            if fields["correct"] is not (record["label"] == record["prediction"]):
                raise ValueError(f"{fields.prefix}correct does not say whether label and prediction agree")

    def report(self, folder: Path, results: Mapping[str, Any], records: Sequence[Record], data: DataSource) -> None:
        """Confusion matrix, contact sheet of predicted samples, and one HTML page."""
        from geo_lm4ve.classification.report import write_report

        write_report(folder, results, records, data, self.classes)


class ClassificationMetrics(Metrics):
    """Confusion matrix, labels among the best BEST scores, and summed cross entropy (over all classes).

    Args:
        classes: number of them.
        label_smoothing: of the cross entropy.
        excluded: (classes,) those whose scores do not count for the accuracies; empty: all count.
    """

    def __init__(self, classes: int, label_smoothing: float = 0.0, excluded: Tensor | None = None):
        self.classes = classes
        self.label_smoothing = label_smoothing
        self.excluded = torch.zeros(0, dtype=torch.bool) if excluded is None else excluded
        self.confusion = torch.zeros(classes, classes, dtype=torch.int64)
        self.loss = torch.zeros((), dtype=torch.float64)
        self.among = torch.zeros((), dtype=torch.int64)

    def update(self, output: Tensor, batch: Any) -> None:
        """Add logits (B, C) and ``batch.labels``."""
        loss = F.cross_entropy(_wide(output), batch.labels, label_smoothing=self.label_smoothing, reduction="sum")
        scores = judged(output, self.excluded)
        best = scores.topk(min(BEST, self.classes)).indices
        self.among += (best == batch.labels[:, None]).sum().cpu()
        self.confusion += confusion_matrix(scores.argmax(-1), batch.labels, self.classes).cpu()
        self.loss += loss.double().cpu()

    def state(self) -> dict[str, Tensor]:
        """The three sums."""
        return {"confusion": self.confusion, "loss": self.loss, "among": self.among}

    def compute(self, state: Mapping[str, Tensor]) -> dict[str, float]:
        """``overall_accuracy`` (top-1), ``mean_class_accuracy`` and ``top_5_accuracy`` in [0, 1], ``loss`` per sample.

        The label is always among the best five of five classes, so that there is no ``top_5_accuracy`` of so few.
        """
        confusion = state["confusion"]
        count = confusion.sum().clamp(min=1)
        return {
            "overall_accuracy": overall_accuracy(confusion),
            "mean_class_accuracy": mean_class_accuracy(confusion),
            **({"top_5_accuracy": (state["among"].double() / count).item()} if self.classes > BEST else {}),
            "loss": (state["loss"] / count).item(),
        }


def judged(output: Tensor, excluded: Tensor) -> Tensor:
    """The scores (B, C) that accuracies are of: minus infinity where ``excluded`` (C,) is true; empty: nowhere."""
    scores = _wide(output)
    return scores.masked_fill(excluded.to(scores.device), -torch.inf) if len(excluded) else scores


def _wide(logits: Tensor) -> Tensor:
    """Logits in float32 at least: a softmax in half precision is coarse."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
