"""Chamfer distance: hand-made numbers, a loop in float64, and what must not depend on anything."""

import pytest
import torch

from geo_lm4ve.geometry.chamfer import chamfer_l2
from geo_lm4ve.testing import assert_equal_up_to_rounding


def points(*rows):
    return torch.tensor([rows], dtype=torch.float32)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (points((0, 0, 0)), points((3, 4, 0)), 25 + 25),
        (points((0, 0, 0), (1, 0, 0)), points((0, 0, 0)), 0.5 + 0),
        (points((0, 0, 0)), points((0, 0, 0), (1, 0, 0), (0, 2, 0)), 0 + 5 / 3),
        (points((0, 0, 0), (0, 0, 4)), points((0, 0, 1), (0, 3, 0)), (1 + 9) / 2 + (1 + 9) / 2),
    ],
)
def test_golden_numbers(one, other, expected):
    assert chamfer_l2(one, other).tolist() == pytest.approx([expected], abs=1e-6)
    assert chamfer_l2(other, one).tolist() == pytest.approx([expected], abs=1e-6)


def test_it_is_what_a_loop_over_all_pairs_gives():
    random = torch.Generator().manual_seed(0)
    one, other = torch.randn(3, 7, 3, generator=random), torch.randn(3, 5, 3, generator=random)
    for row in range(3):
        there = [min(sum((a - b) ** 2 for a, b in zip(p, q)) for q in other[row].tolist()) for p in one[row].tolist()]
        back = [min(sum((a - b) ** 2 for a, b in zip(p, q)) for p in one[row].tolist()) for q in other[row].tolist()]
        expected = torch.tensor([sum(there) / 7 + sum(back) / 5], dtype=torch.float64)
        assert_equal_up_to_rounding(chamfer_l2(one[row : row + 1], other[row : row + 1]), expected)


def test_order_of_points_does_not_matter_and_equal_sets_are_at_distance_zero():
    random = torch.Generator().manual_seed(1)
    one = torch.randn(2, 16, 3, generator=random)
    assert chamfer_l2(one, one[:, torch.randperm(16, generator=random)]).tolist() == [0, 0]


def test_it_stays_exact_far_from_the_origin():
    near = torch.rand(1, 8, 3, generator=torch.Generator().manual_seed(2)) / 64
    far = (near * 4096).round() / 4096 + 1024  # no digit is lost in this sum
    assert chamfer_l2(far, far + 1 / 4096).item() == chamfer_l2(far - 1024, far - 1024 + 1 / 4096).item()


def test_gradients_are_those_of_finite_differences():
    random = torch.Generator().manual_seed(3)
    pair = [torch.randn(2, n, 3, generator=random, dtype=torch.float64, requires_grad=True) for n in (4, 6)]
    assert torch.autograd.gradcheck(chamfer_l2, pair)
