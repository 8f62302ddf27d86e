import pytest
import torch

from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.optim import AdamWConfig, Schedule, learning_rate


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [(0, 1e-6), (9, 4.501e-4), (10, 4.98633e-4), (299, 1.0137e-6), (300, 1e-6)],
)
def test_cosine_is_timms_golden_schedule(epoch, expected):
    assert learning_rate(AdamWConfig(), 5e-4, epoch) == pytest.approx(expected, rel=2e-5)


def test_multistep_is_mmtransformers():
    config = AdamWConfig(schedule=Schedule.multistep, milestones=[20, 24, 28], gamma=0.25, warmup_epochs=0, epochs=32)
    rates = [learning_rate(config, 5e-4, epoch) for epoch in (0, 19, 20, 24, 28, 31)]
    assert rates == pytest.approx([5e-4, 5e-4, 1.25e-4, 3.125e-5, 7.8125e-6, 7.8125e-6])


def test_linear_ends_at_the_minimum():
    config = AdamWConfig(schedule=Schedule.linear, warmup_epochs=0, epochs=10, min_lr=0.0)
    assert learning_rate(config, 1.0, 5) == pytest.approx(0.5)
    assert learning_rate(config, 1.0, 10) == 0.0


def test_batch_that_does_not_split_is_refused():
    assert AdamWConfig(batch_size=32, accumulate=2).micro_batch(4) == 4
    with pytest.raises(ConfigError, match="multiple"):
        AdamWConfig(batch_size=30, accumulate=2).micro_batch(4)
    with pytest.raises(ConfigError, match="epochs"):
        AdamWConfig(epochs=0)


def test_weight_average_is_exponential():
    from geo_lm4ve.engine.optim import WeightAverage

    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.ones_(layer.weight)
    average = WeightAverage(layer, 0.9)
    with torch.no_grad():
        layer.weight.fill_(2.0)
    average.update(layer)
    assert average.state["weight"].item() == pytest.approx(1.1)
