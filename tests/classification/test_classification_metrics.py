import pytest
import torch

from geo_lm4ve.classification.metrics import (
    class_accuracies,
    confusion_matrix,
    mean_class_accuracy,
    overall_accuracy,
)


def test_golden_toy_matrix():
    confusion = torch.tensor([[9, 1], [1, 1]])
    assert overall_accuracy(confusion) == pytest.approx(0.8333, abs=5e-5)
    assert mean_class_accuracy(confusion) == pytest.approx(0.7)


def test_confusion_rows_are_true_classes():
    confusion = confusion_matrix(torch.tensor([1, 1, 2]), torch.tensor([0, 1, 2]), 3)
    assert confusion.tolist() == [[0, 1, 0], [0, 1, 0], [0, 0, 1]]


def test_class_without_samples_does_not_count():
    confusion = torch.tensor([[2, 0, 0], [1, 1, 0], [0, 0, 0]])
    assert mean_class_accuracy(confusion) == pytest.approx(0.75)
    assert class_accuracies(confusion)[2].isnan()


def test_agrees_with_counting_the_predictions():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(7, (500,), generator=generator)
    predictions = torch.where(
        torch.rand(500, generator=generator) < 0.6, labels, torch.randint(7, (500,), generator=generator)
    )
    confusion = confusion_matrix(predictions, labels, 7)
    hits = (predictions == labels).double()
    assert overall_accuracy(confusion) == pytest.approx(hits.mean().item())
    assert mean_class_accuracy(confusion) == pytest.approx(sum(hits[labels == c].mean().item() for c in range(7)) / 7)
