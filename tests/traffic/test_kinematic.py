"""Baselines: exact on the motion they assume, equivariant, and refused without the scene."""

import math

import pytest
import torch
from scene_batches import collate, scene

from geo_lm4ve.config import ConfigError
from geo_lm4ve.tokens import TokenSet
from geo_lm4ve.traffic.encoders.kinematic import KinematicEncoderConfig
from geo_lm4ve.traffic.heads.kinematic import ConstantTurnRateConfig, ConstantVelocityConfig


def _batch(*histories):
    """One scene per target history (T, 2)."""
    scenes = []
    for seed, history in enumerate(histories):
        graph = scene(agents=3, lanes=2, seed=seed)
        graph["agent"].history[0] = history
        graph["agent"].velocity = torch.zeros(3, 2)
        graph["agent"].velocity[0] = torch.tensor([5.0, -2.0])
        scenes.append(graph)
    return collate(*scenes)


def _forecast(config, batch, steps=30):
    encoder, head = KinematicEncoderConfig().build(), config.build(4, steps)
    return head(encoder.stages["state"](batch))


def _line(step, steps=20):
    return torch.arange(1.0 - steps, 1)[:, None] * torch.tensor(step)


def _arc(speed, rate, steps=20):
    """Positions at 10 Hz on a circle, at the origin with heading 0 in the end."""
    angle = rate * 0.1 * torch.arange(1.0 - steps, 1, dtype=torch.float64)
    return (speed / rate * torch.stack([angle.sin(), 1 - angle.cos()], -1)).float()


def test_constant_velocity_continues_the_last_step():
    crooked = _line((1.0, 0.0))
    crooked[:-2, 1] += 7
    out = _forecast(ConstantVelocityConfig(), _batch(_line((0.5, -0.25)), crooked))
    assert out.positions.shape == (2, 1, 30, 2)
    torch.testing.assert_close(out.positions[0, 0, -1], torch.tensor([15.0, -7.5]))
    torch.testing.assert_close(out.positions[1, 0, 9], torch.tensor([10.0, 0.0]))
    assert out.probabilities.tolist() == [[1.0], [1.0]]


def test_constant_velocity_over_a_window_and_as_recorded():
    jitter = _line((1.0, 0.0))
    jitter[-1, 0] += 0.5
    window = _forecast(ConstantVelocityConfig(window=10), _batch(jitter))
    torch.testing.assert_close(window.positions[0, 0, 0] - jitter[-1], torch.tensor([1.05, 0.0]))
    longer = _forecast(ConstantVelocityConfig(window=100), _batch(jitter))
    torch.testing.assert_close(longer.positions[0, 0, 0, 0] - jitter[-1, 0], torch.tensor(19.5 / 19))
    recorded = _forecast(ConstantVelocityConfig(recorded=True), _batch(_line((1.0, 0.0))))
    torch.testing.assert_close(recorded.positions[0, 0, -1], torch.tensor([15.0, -6.0]))


@pytest.mark.parametrize("rate", [0.4, -0.25, 0.01])
def test_constant_turn_rate_stays_on_the_circle(rate):
    out = _forecast(ConstantTurnRateConfig(), _batch(_arc(8.0, rate)))
    angle = rate * 0.1 * torch.arange(1.0, 31)
    expected = 8.0 / rate * torch.stack([angle.sin(), 1 - angle.cos()], -1)
    torch.testing.assert_close(out.positions[0, 0], expected, atol=2e-3, rtol=0)


def test_constant_turn_rate_goes_straight_where_there_is_no_direction_and_limits_the_rate():
    torch.manual_seed(0)
    standing = 0.02 * torch.randn(20, 2)
    out = _forecast(ConstantTurnRateConfig(), _batch(standing, _line((1.0, 0.0)), _arc(8.0, 2.0)))
    steps = out.positions[:, 0].diff(dim=1)
    torch.testing.assert_close(steps[0], steps[0, :1].expand_as(steps[0]))
    torch.testing.assert_close(steps[1], torch.tensor([[1.0, 0.0]]).expand(29, -1), atol=1e-4, rtol=0)
    turned = torch.atan2(steps[2, 1:, 1], steps[2, 1:, 0]) - torch.atan2(steps[2, :-1, 1], steps[2, :-1, 0])
    wrapped = torch.atan2(turned.sin(), turned.cos())
    torch.testing.assert_close(wrapped, torch.full_like(wrapped, 0.06), atol=1e-4, rtol=0)


@pytest.mark.parametrize("config", [ConstantVelocityConfig(), ConstantTurnRateConfig()])
def test_forecasts_turn_with_the_scene(config):
    c, s = math.cos(1.2), math.sin(1.2)
    turn = torch.tensor([[c, -s], [s, c]])
    history = _arc(6.0, 0.3)
    plain = _forecast(config, _batch(history)).positions
    turned = _forecast(config, _batch(history @ turn.T + 3)).positions
    torch.testing.assert_close(turned, plain @ turn.T + 3, atol=1e-3, rtol=0)


def test_the_scene_is_needed():
    tokens = TokenSet(torch.zeros(1, 1, 4), torch.ones(1, 1, dtype=torch.bool), {"agents": (0, 1)})
    with pytest.raises(ConfigError, match="encoder=kinematic"):
        ConstantVelocityConfig().build(4, 30)(tokens)


def test_no_parameters_and_state_tokens():
    encoder = KinematicEncoderConfig().build()
    assert not list(encoder.parameters())
    assert not list(ConstantTurnRateConfig().build(4, 30).parameters())
    tokens = encoder.stages["state"](_batch(_line((1.0, 0.0))))
    assert tokens.features.tolist() == [[[0.0, 0.0, 5.0, -2.0]]]


@pytest.mark.parametrize("values", [{"window": 0}, {"min_move": 0.0}, {"max_rate": -1.0}])
def test_bad_values(values):
    with pytest.raises(ConfigError, match=f"head.{next(iter(values))}"):
        ConstantTurnRateConfig(**values)
    with pytest.raises(ConfigError, match=r"head\.window"):
        ConstantVelocityConfig(window=0)
