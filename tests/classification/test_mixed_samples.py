"""Samples that were mixed for training: their loss, and what counts as right."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from geo_lm4ve.classification.task import Classify
from geo_lm4ve.options import load_option
from geo_lm4ve.testing import assert_equal_up_to_rounding

CLASSES = 5
LABELS = torch.tensor([0, 3, 4])
LOGITS = torch.randn(3, CLASSES, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def task(**values):
    return Classify(load_option("task", "classify", values), [str(number) for number in range(CLASSES)])


def batch(share):
    own = F.one_hot(LABELS, CLASSES).double()
    return SimpleNamespace(labels=LABELS, targets=share * own + (1 - share) * own.flip(0))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_smoothing_is_of_the_mixture_as_in_timm(share):
    """timm mixes smoothed one-hots (``mixup_target``), PyTorch smooths the mixture: it is the same."""
    smooth = F.one_hot(LABELS, CLASSES).double() * 0.9 + 0.1 / CLASSES
    timm = share * smooth + (1 - share) * smooth.flip(0)
    expected = -(timm * LOGITS.log_softmax(-1)).sum(-1).mean()
    assert_equal_up_to_rounding(task(label_smoothing=0.1).loss(LOGITS, batch(share)).total, expected)


@pytest.mark.parametrize(("share", "right"), [(0.8, LABELS), (0.2, LABELS.flip(0))])
def test_the_larger_share_counts_as_right(share, right):
    logits = F.one_hot(right, CLASSES).double()
    logits[0] = F.one_hot(torch.tensor(2), CLASSES)
    accuracy = task().loss(logits, batch(share)).parts["train_accuracy"]
    assert accuracy == pytest.approx(2 / 3)
