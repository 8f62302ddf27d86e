"""Classification metrics from one confusion matrix."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def confusion_matrix(
    predictions: Int[Tensor, " b"], labels: Int[Tensor, " b"], classes: int
) -> Int[Tensor, "classes classes"]:
    """Counts with rows = true class, columns = predicted class."""
    cells = labels.long() * classes + predictions.long()
    return torch.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def overall_accuracy(confusion: Int[Tensor, "c c"]) -> float:
    """OA = correct / all."""
    return (confusion.trace().double() / confusion.sum().clamp(min=1)).item()


def class_accuracies(confusion: Int[Tensor, "c c"]) -> Float[Tensor, " c"]:
    """Recall per class; NaN for a class without samples."""
    return confusion.diagonal().double() / confusion.sum(1).double()


def mean_class_accuracy(confusion: Int[Tensor, "c c"]) -> float:
    """MAcc = mean recall over the classes that have samples (OpenPoints ``utils/metrics.py``)."""
    return class_accuracies(confusion).nanmean().item()
