import json
from dataclasses import dataclass

import pytest
import torch
from small_runs import experiment

from geo_lm4ve import create_model
from geo_lm4ve.config import ConfigError, make, register
from geo_lm4ve.engine.optim import AdamWConfig, Schedule, is_small, set_norm_momentum
from geo_lm4ve.engine.train import train
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.optim import OptimConfig


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [(0, 1e-6), (9, 4.501e-4), (10, 4.98633e-4), (299, 1.0137e-6), (300, 1e-6)],
)
def test_cosine_is_timms_golden_schedule(epoch, expected):
    assert AdamWConfig().learning_rate(5e-4, epoch) == pytest.approx(expected, rel=2e-5)


def test_multistep_is_mmtransformers():
    config = AdamWConfig(schedule=Schedule.multistep, milestones=[20, 24, 28], gamma=0.25, warmup_epochs=0, epochs=32)
    rates = [config.learning_rate(5e-4, epoch) for epoch in (0, 19, 20, 24, 28, 31)]
    assert rates == pytest.approx([5e-4, 5e-4, 1.25e-4, 3.125e-5, 7.8125e-6, 7.8125e-6])


def test_linear_ends_at_the_minimum():
    config = AdamWConfig(schedule=Schedule.linear, warmup_epochs=0, epochs=10, min_lr=0.0)
    assert config.learning_rate(1.0, 5) == pytest.approx(0.5)
    assert config.learning_rate(1.0, 10) == 0.0


def test_a_schedule_may_end_before_training_does():
    config = load_option("optim", "pointnext_scanobjectnn")
    rates = [config.learning_rate(2e-3, epoch) for epoch in (0, 100, 200, 249)]
    assert rates == pytest.approx([2e-3, 1.05e-3, 1e-4, 1e-4])
    with pytest.raises(ConfigError, match=r"optim\.decay_epochs must be more than 0"):
        load_option("optim", "pointnext_scanobjectnn", {"decay_epochs": 0})


def test_the_rate_is_for_a_batch_where_lr_per_says_so():
    """DeiT: 5e-4 for 512 images; warm-up and end stay. timm's cosine, per epoch."""
    config = load_option("optim", "deit")
    assert config.rate == pytest.approx(1e-3)
    assert config.chosen == {"rate": "0.001 = 0.0005 x 1024 / 512 (lr x batch / lr_per)"}
    rates = [config.learning_rate(config.rate, epoch) for epoch in (0, 19, 20, 150, 299)]
    assert rates == pytest.approx([1e-6, 9.5005e-4, 9.891823e-4, 5.05e-4, 1.0027e-5], rel=1e-4)
    plain = AdamWConfig(batch_size=1024)
    assert (plain.rate, plain.chosen) == (5e-4, {})
    with pytest.raises(ConfigError, match=r"optim\.lr_per must be at least 0, got -1"):
        AdamWConfig(lr_per=-1)


def test_the_rate_of_the_batch_reaches_training_and_is_announced(tmp_path, capsys):
    small = experiment(tmp_path)
    small.optim = load_option("optim", "deit", {"epochs": 1, "batch_size": 8, "warmup_epochs": 0, "lr_per": 16})
    train(small)
    (log,) = tmp_path.glob("runs/*/*/metrics.jsonl")
    assert json.loads(log.read_text())["lr"] == pytest.approx(2.5e-4)
    assert "rate  0.00025 = 0.0005 x 8 / 16 (lr x batch / lr_per)" in capsys.readouterr().out


def test_position_embeddings_do_not_decay():
    """DeiT (timm's ``no_weight_decay``): of a ViT, matrices of linear layers and the patches' projection alone do."""
    model = create_model("vit_tiny", head="vit", num_classes=3, block="identity", depth=1)
    small = {name for name, parameter in model.named_parameters() if is_small(name, parameter)}
    assert {"encoder.stages.embed.cls_token", "encoder.stages.embed.position"} <= small
    assert "encoder.stages.embed.projection.weight" not in small
    assert not is_small("encoder.stages.embed.cls_position", model.encoder.stages.embed.position)


@register("optim", "sgd_for_a_test")
@dataclass
class Sgd(OptimConfig):
    name: str = "sgd_for_a_test"

    def build(self, model, *, bridge_lr_scale=1.0, bridge_weight_decay=None):
        return torch.optim.SGD([{"params": list(model.parameters()), "base_lr": 0.5}], lr=0.5)

    def learning_rate(self, base, epoch):
        return base / (1 + epoch)


def test_training_takes_any_optimiser_that_is_registered(tmp_path):
    small = experiment(tmp_path)
    small.optim = make("optim", "sgd_for_a_test", {"epochs": 2, "batch_size": 8})
    train(small)
    (log,) = tmp_path.glob("runs/*/*/metrics.jsonl")
    assert [json.loads(line)["lr"] for line in log.read_text().splitlines()] == [0.5, 0.25]


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


def test_adam_decays_all_weights_through_the_gradient():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    alone = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    alone.load_state_dict(model.state_dict())
    config = load_option("optim", "scanqa", {"weight_decay": 0.1})
    ours = config.build(model)
    theirs = torch.optim.Adam(alone.parameters(), lr=5e-4, weight_decay=0.1)
    for _ in range(3):
        for net, optimizer in ((model, ours), (alone, theirs)):
            optimizer.zero_grad()
            net(torch.arange(12.0).reshape(4, 3)).square().sum().backward()
            optimizer.step()
    for one, other in zip(model.parameters(), alone.parameters()):
        assert torch.equal(one, other)


def test_the_momentum_of_batch_norms_is_votenets():
    config = load_option("optim", "scanqa")
    assert [config.momentum(epoch) for epoch in (0, 19, 20, 49, 400)] == [0.5, 0.5, 0.25, 0.125, 0.001]
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 2))
    set_norm_momentum(model, config, 20)
    assert model[0].momentum == 0.25
    set_norm_momentum(model, AdamWConfig(), 0)
    assert model[0].momentum == 0.25
    with pytest.raises(ConfigError, match="norm_momentum"):
        load_option("optim", "scanqa", {"norm_momentum": 1.5})


def test_a_run_trains_with_the_momentum_of_its_epoch_and_clips_values(tmp_path, monkeypatch):
    seen, clipped = [], []
    monkeypatch.setattr("geo_lm4ve.engine.trainer.set_norm_momentum", lambda model, config, epoch: seen.append(epoch))
    monkeypatch.setattr(
        "accelerate.Accelerator.clip_grad_value_", lambda self, parameters, value: clipped.append(value)
    )
    begun = experiment(tmp_path)
    begun.optim.clip_value, begun.optim.epochs = 0.25, 2
    train(begun)
    assert seen == [0, 1]
    assert set(clipped) == {0.25}
