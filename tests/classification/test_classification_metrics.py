from types import SimpleNamespace

import pytest
import torch

from geo_lm4ve.classification.metrics import (
    class_accuracies,
    confusion_matrix,
    mean_class_accuracy,
    overall_accuracy,
)
from geo_lm4ve.classification.task import Classify, ClassifyConfig


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


def metrics_of(scores, labels, candidates=()):
    task = Classify(ClassifyConfig(top=5), [f"c{label}" for label in range(scores.shape[1])], candidates)
    metrics = task.metrics()
    batch = SimpleNamespace(labels=labels, index=torch.arange(len(labels)))
    metrics.update(scores, batch)
    return metrics.compute(metrics.state()), task.records(scores, batch), task


def test_top_five_counts_labels_among_the_best_five():
    scores = torch.arange(8.0).repeat(8, 1)  # the best five are 7 to 3, whatever the label
    found, _, _ = metrics_of(scores, torch.arange(8))
    assert found["top_5_accuracy"] == 5 / 8
    assert found["overall_accuracy"] == 1 / 8
    assert "top_5_accuracy" not in metrics_of(scores[:, :5], torch.zeros(8, dtype=torch.long))[0]


def test_scores_of_classes_that_are_out_of_the_question_do_not_count():
    scores = torch.tensor([[9.0, 1, 0, 0, 0, 0], [9.0, 0, 0, 0, 2, 1]])
    labels = torch.tensor([1, 5])
    everything, _, _ = metrics_of(scores, labels)
    found, records, task = metrics_of(scores, labels, candidates=(1, 4, 5))
    assert everything["overall_accuracy"] == 0
    assert found["overall_accuracy"] == 0.5
    assert found["loss"] == everything["loss"]
    assert [record["prediction"] for record in records] == ["c1", "c4"]
    assert all(len(record["top"]) == 3 for record in records)
    assert sum(share for _, share in records[1]["top"]) == pytest.approx(1, abs=1e-5)
    assert task.protocol() == {"votes": 0, "classes": "3 of 6"}
