"""The winner-takes-all loss, by hand."""

import math

import pytest
import torch

from geo_lm4ve.traffic.heads.trajectories import AgentTrajectories
from geo_lm4ve.traffic.heads.trajectory_loss import best_modes, trajectory_loss

X, Y = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])


def outputs(positions, logits, rows=None, single=None):
    rows = torch.arange(len(positions)) if rows is None else torch.tensor(rows)
    return AgentTrajectories(positions, logits, rows, single)


def straight(*speeds, frames=3):
    """Modes (K, F, 2) that move along x by so many metres per frame."""
    return torch.stack([speed * X * torch.arange(1.0, frames + 1)[:, None] for speed in speeds])


def test_by_hand():
    positions, logits = straight(1.0, 4.0)[None], torch.tensor([[2.0, 1.0]])
    future = (straight(1.2)[0] + 3 * Y)[None]
    loss = trajectory_loss(outputs(positions, logits, single=future + 0.5), future, torch.ones(1, 3, dtype=torch.bool))
    # The first mode is 0.2, 0.4, 0.6 m short along x (squares halved) and 3 m off along y (linear, less a half).
    assert loss.modes.item() == pytest.approx(0.5 * (0.04 + 0.16 + 0.36) + 3 * 2.5)
    assert loss.scores.item() == pytest.approx(math.log(1 + math.exp(-1)))
    assert loss.single.item() == pytest.approx(6 * 0.125)
    assert loss.total.item() == pytest.approx((loss.modes + loss.scores + loss.single).item())
    assert loss.agents == 1


def test_the_best_mode_ends_nearest_at_the_last_known_frame_not_at_the_last_one():
    positions = torch.stack([straight(1.0)[0], torch.stack([9 * X, 5 * X, 0 * X])])[None].expand(2, -1, -1, -1)
    future = torch.stack([1 * X, 5 * X, 0 * X]).expand(2, -1, -1)
    valid = torch.tensor([[True, True, False], [True, False, True]])
    assert best_modes(positions, future, valid).tolist() == [1, 1]
    assert best_modes(positions, future + 2.5 * X, valid).tolist() == [1, 0]
    assert best_modes(positions, future, valid & torch.tensor([[True, False, False]])).tolist() == [0, 0]


def test_unknown_frames_and_agents_without_a_future_do_not_count():
    positions, logits = straight(1.0, 2.0).expand(3, -1, -1, -1).clone().requires_grad_(), torch.zeros(3, 2)
    future = straight(1.0).expand(3, -1, -1).clone()
    future[0, 2] = 1e6
    valid = torch.tensor([[True, True, False], [False, False, False], [True, True, True]])
    loss = trajectory_loss(outputs(positions, logits), future, valid)
    assert loss.agents == 2
    assert loss.modes.item() == 0
    assert loss.scores.item() == pytest.approx(math.log(2))
    assert loss.single is None


def test_only_the_best_mode_is_pulled_and_only_towards_known_frames():
    positions = straight(1.0, 2.0)[None].clone().requires_grad_()
    valid = torch.tensor([[True, False, True]])
    trajectory_loss(outputs(positions, torch.zeros(1, 2)), straight(1.1)[0][None], valid).total.backward()
    assert positions.grad[0, 0].abs().sum(-1).gt(0).tolist() == [True, False, True]
    assert not positions.grad[0, 1].any()


def test_rows_find_each_agents_future():
    positions = straight(1.0, 2.0).expand(2, -1, -1, -1)
    future = torch.stack([9 * straight(1.0)[0], straight(1.0)[0], 9 * straight(1.0)[0], straight(2.0)[0]])
    loss = trajectory_loss(outputs(positions, torch.zeros(2, 2), rows=[1, 3]), future, torch.ones(4, 3).bool())
    assert loss.modes.item() == 0


def test_a_batch_without_any_future_gives_zero_and_zero_gradients():
    positions, logits = torch.randn(2, 3, 4, 2, requires_grad=True), torch.randn(2, 3, requires_grad=True)
    single = torch.randn(2, 4, 2, requires_grad=True)
    known = torch.zeros(2, 4, dtype=torch.bool)
    loss = trajectory_loss(outputs(positions, logits, single=single), torch.zeros(2, 4, 2), known)
    loss.total.backward()
    assert loss.total.item() == 0
    assert all(value.grad is not None and not value.grad.any() for value in (positions, logits, single))


def test_rotating_the_scene_does_not_change_which_mode_is_best():
    positions, future = torch.randn(20, 6, 5, 2, dtype=torch.float64), torch.randn(20, 5, 2, dtype=torch.float64)
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    valid = torch.rand(20, 5) > 0.3
    assert torch.equal(best_modes(positions @ turn, future @ turn, valid), best_modes(positions, future, valid))
