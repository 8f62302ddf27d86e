import pytest
import torch
from clouds import random_clouds, shapes_unchecked

from geo_lm4ve.geometry.grouping import gather, group
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.testing import assert_equal_up_to_rounding


@pytest.mark.parametrize("shape", [(3,), (3, 4), (3, 2, 5)])
def test_gather_takes_values_at_indices_of_any_shape(shape):
    values = random_clouds(3, 9)
    idx = torch.randint(9, shape)
    taken = gather(values, idx)
    assert taken.shape == (*shape, 3)
    for where in torch.cartesian_prod(*(torch.arange(n) for n in shape)).reshape(-1, len(shape)).tolist():
        assert torch.equal(taken[tuple(where)], values[where[0], idx[tuple(where)]])


def test_gather_passes_gradients_to_the_values():
    values = random_clouds(1, 4).requires_grad_()
    gather(values, torch.tensor([[0, 0, 2]])).sum().backward()
    assert values.grad[0, :, 0].tolist() == [2, 0, 1, 0]


def test_gather_refuses_two_batch_sizes():
    with shapes_unchecked(), pytest.raises(ValueError, match="one batch size, got 2 and 3"):
        gather(random_clouds(2, 4), torch.zeros(3, 1, dtype=torch.long))


def test_groups_are_offsets_of_the_nearest_points_with_an_exact_zero():
    points = random_clouds(2, 100)
    centers = gather(points, farthest_point_sample(points, 8))
    offsets = group(points, centers, 5)
    assert offsets.shape == (2, 8, 5, 3)
    assert offsets[:, :, 0].abs().max() == 0
    nearest = torch.cdist(centers.double(), points.double()).sort(-1).values[..., :5]
    assert_equal_up_to_rounding(offsets.double().norm(dim=-1), nearest, dtype=torch.float32)
