import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.traffic.frames import (
    displacement_heading,
    regression_heading,
    rotate,
    rotation_matrix,
    to_local,
    to_world,
    wrap_angle,
)

ANGLES = torch.tensor([0.0, 0.3, math.pi / 2, -2.5, 3.1], dtype=torch.float64)


def straight(angle, steps=20, speed=1.0):
    """Tracks (n, steps, 2) at constant speed in the given directions."""
    way = torch.stack([angle.cos(), angle.sin()], -1)
    return 5.0 + speed * torch.arange(steps, dtype=torch.float64)[:, None] * way[:, None]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_to_local_is_the_exact_inverse_of_to_world(seed):
    random = torch.Generator().manual_seed(seed)
    points = 100 * torch.randn(4, 6, 30, 2, generator=random, dtype=torch.float64)
    origin = 5000 * torch.randn(4, 2, generator=random, dtype=torch.float64)
    rotation = 10 * torch.randn(4, generator=random, dtype=torch.float64)
    assert_equal_up_to_rounding(
        to_local(to_world(points, origin, rotation), origin, rotation), points, scale=2e4, roundings=4
    )
    assert_equal_up_to_rounding(
        to_world(to_local(points, origin, rotation), origin, rotation), points, scale=2e4, roundings=4
    )


def test_rotation_is_counter_clockwise_and_keeps_lengths():
    quarter = torch.tensor([math.pi / 2], dtype=torch.float64)
    torch.testing.assert_close(
        rotate(torch.tensor([[1.0, 0.0]]).double(), quarter), torch.tensor([[0.0, 1.0]]).double()
    )
    vectors = torch.randn(5, 7, 2, dtype=torch.float64)
    torch.testing.assert_close(rotate(vectors, ANGLES).norm(dim=-1), vectors.norm(dim=-1))
    torch.testing.assert_close(torch.linalg.det(rotation_matrix(ANGLES)), torch.ones(5, dtype=torch.float64))


def test_frames_without_points_keep_their_shape():
    empty = torch.zeros(0, 6, 30, 2)
    assert to_world(empty, torch.zeros(0, 2), torch.zeros(0)).shape == empty.shape


def test_wrap_angle_stays_in_half_open_interval_and_keeps_direction():
    angles = torch.linspace(-20, 20, 401, dtype=torch.float64)
    wrapped = wrap_angle(angles)
    assert (wrapped >= -math.pi).all()
    assert (wrapped < math.pi).all()
    torch.testing.assert_close(wrapped.sin(), angles.sin())
    torch.testing.assert_close(wrapped.cos(), angles.cos())


@pytest.mark.parametrize("heading", [displacement_heading, regression_heading], ids=["displacement", "regression"])
def test_straight_tracks_have_their_direction(heading):
    torch.testing.assert_close(wrap_angle(heading(straight(ANGLES)) - ANGLES), torch.zeros(5, dtype=torch.float64))


@pytest.mark.parametrize("heading", [displacement_heading, regression_heading], ids=["displacement", "regression"])
def test_headings_turn_with_the_city(heading):
    tracks = straight(ANGLES) + 0.05 * torch.randn(5, 20, 2, generator=torch.Generator().manual_seed(0)).double()
    turned = rotate(tracks, torch.full((5,), 0.7, dtype=torch.float64)) + 300.0
    expected = wrap_angle(heading(tracks) + 0.7)
    # the regression fits along the longer axis, so turning a noisy track changes it a little
    torch.testing.assert_close(wrap_angle(heading(turned) - expected), torch.zeros(5).double(), atol=0.02, rtol=0)


@pytest.mark.parametrize("heading", [displacement_heading, regression_heading], ids=["displacement", "regression"])
def test_agents_that_never_move_have_heading_zero(heading):
    assert heading(torch.full((3, 20, 2), 7.5, dtype=torch.float64)).tolist() == [0.0, 0.0, 0.0]


def test_displacement_takes_the_last_step_unless_told_to_look_back():
    track = straight(torch.zeros(1).double())
    track[:, -1] += torch.tensor([-1.0, 0.4])  # the last step is 0.4 m, sideways
    torch.testing.assert_close(displacement_heading(track), torch.tensor([math.pi / 2]).double())
    looked_back = displacement_heading(track, min_move=1.0)
    torch.testing.assert_close(looked_back, torch.tensor([math.atan2(0.4, 1.0)]).double())


def test_noise_of_a_standing_agent_does_not_turn_it():
    track = straight(torch.full((1,), 0.5).double())
    track[:, 10:] = track[:, 9:10] + 0.05 * torch.randn(1, 10, 2, generator=torch.Generator().manual_seed(1)).double()
    assert abs(displacement_heading(track, min_move=0.5).item() - 0.5) < 0.1
    assert abs(displacement_heading(track).item() - 0.5) > 0.1


def test_displacement_of_tracks_with_gaps_uses_their_last_valid_steps():
    track = straight(torch.tensor([0.5]).double())
    valid = torch.ones(1, 20, dtype=torch.bool)
    valid[:, [3, 17, 18, 19]] = False
    track[:, 17:] = 0.0
    torch.testing.assert_close(displacement_heading(track, valid), torch.tensor([0.5]).double())
    only = torch.zeros(1, 20, dtype=torch.bool)
    only[:, 4] = True
    assert displacement_heading(track, only).item() == 0.0


def test_regression_looks_back_until_the_stretch_is_long_enough():
    """A slow car: 0.1 m a step, the last 6 steps sideways by noise; 2 m take all 20 steps."""
    track = straight(torch.tensor([0.0]).double(), speed=0.11)
    track[:, 14:, 1] += torch.tensor([0.0, 0.05, 0.1, 0.1, 0.05, 0.0])
    assert abs(regression_heading(track, min_move=2.0).item()) < 0.05


def test_regression_equals_least_squares_of_the_window():
    random = torch.Generator().manual_seed(2)
    track = straight(torch.tensor([0.4]).double()) + 0.2 * torch.randn(1, 20, 2, generator=random).double()
    window = track[0, 13:]
    x = torch.stack([window[:, 0], torch.ones(7).double()], -1)
    slope = torch.linalg.lstsq(x, window[:, 1:]).solution[0, 0]
    torch.testing.assert_close(regression_heading(track)[0], torch.atan(slope))
