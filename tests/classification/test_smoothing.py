"""Label smoothing over all classes, as PyTorch has it, and over the wrong ones only, as OpenPoints has it."""

from types import SimpleNamespace

import pytest
import torch

from geo_lm4ve.classification.task import Classify
from geo_lm4ve.config import ConfigError
from geo_lm4ve.options import load_option
from geo_lm4ve.testing import assert_equal_up_to_rounding

LABELS = torch.tensor([0, 3, 14])
LOGITS = torch.randn(3, 15, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def classify(option="classify_smooth", classes=15, **values):
    return Classify(load_option("task", option, values), [str(number) for number in range(classes)])


@pytest.mark.parametrize(("mass", "over"), [(0.3, "wrong"), (0.3, "all"), (0.0, "wrong")])
def test_the_mass_goes_to_the_classes_that_are_named(mass, over):
    task, batch = classify(label_smoothing=mass, smoothed_over=over), SimpleNamespace(labels=LABELS)
    right = torch.nn.functional.one_hot(LABELS, 15).double()
    target = (1 - mass) * right + mass * ((1 - right) / 14 if over == "wrong" else torch.full_like(right, 1 / 15))
    expected = -(target * LOGITS.log_softmax(-1)).sum(-1)
    assert_equal_up_to_rounding(task.loss(LOGITS, batch).total, expected.mean())
    metrics = task.metrics()
    metrics.update(LOGITS, batch)
    assert metrics.compute(metrics.state())["loss"] == pytest.approx(expected.mean().item())


def test_published_masses_in_pytorchs_terms():
    assert classify(classes=40).label_smoothing == pytest.approx(0.205128, abs=1e-6)
    assert classify(label_smoothing=0.3).label_smoothing == pytest.approx(0.321429, abs=1e-6)
    assert classify("classify").label_smoothing == 0


@pytest.mark.parametrize(("mass", "classes"), [(-0.1, 15), (1.0, 15), (0.5, 2)])
def test_a_mass_that_makes_the_right_class_no_likelier_is_refused(mass, classes):
    with pytest.raises(ConfigError, match=f"task.label_smoothing={mass} over wrong of {classes} classes"):
        classify(classes=classes, label_smoothing=mass)
