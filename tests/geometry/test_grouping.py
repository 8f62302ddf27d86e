import pytest
import torch
from clouds import awkward_clouds, random_clouds, shapes_unchecked

from geo_lm4ve.geometry.grouping import gather, group, group_by_radius
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
    offsets, _ = group(points, centers, 5)
    assert offsets.shape == (2, 8, 5, 3)
    assert offsets[:, :, 0].abs().max() == 0
    nearest = torch.cdist(centers.double(), points.double()).sort(-1).values[..., :5]
    assert_equal_up_to_rounding(offsets.double().norm(dim=-1), nearest, dtype=torch.float32)


def test_a_group_has_the_first_points_within_the_radius_in_order():
    points = torch.tensor([[[9.0, 0, 0], [0.5, 0, 0], [0, 0.25, 0], [0.375, 0, 0], [0, 0, -0.125]]])
    centers = torch.tensor([[[0.0, 0, 0], [0.5, 0, 0.25], [5, 5, 5]]])
    offsets, indices = group_by_radius(points, centers, 0.5, 3)
    assert indices.tolist() == [[[2, 3, 4], [1, 3, 1], [0, 0, 0]]]  # strictly closer; the first fills; none: point 0
    assert offsets[0, 0].tolist() == [[0, 0.25, 0], [0.375, 0, 0], [0, 0, -0.125]]
    assert offsets[0, 1].tolist() == [[0, 0, -0.25], [-0.125, 0, -0.25], [0, 0, -0.25]]
    assert offsets[0, 2].tolist() == [[4, -5, -5]] * 3
    scaled, same = group_by_radius(points, centers, 0.5, 3, scaled=True)
    assert torch.equal(scaled, offsets * 2)
    assert torch.equal(same, indices)


@pytest.mark.parametrize("kind", sorted(awkward_clouds(1, 48)))
def test_groups_by_radius_are_those_of_the_definition_on_a_thousand_clouds(kind):
    clouds, k = awkward_clouds(125, 48)[kind], 7
    radius = float(clouds.std(dim=1).mean().clamp(min=1e-20))
    centers = clouds[:, ::12] + torch.tensor([0.0, radius, 0.0])  # some reach no point, or are at the radius exactly
    offsets, indices = group_by_radius(clouds, centers, radius, k)
    axes = ((centers[:, :, None, axis] - clouds[:, None, :, axis]) ** 2 for axis in range(3))
    inside = sum(axes) < torch.tensor(radius) ** 2
    for hits, row in zip(inside.flatten(0, 1), indices.flatten(0, 1).tolist(), strict=True):
        found = hits.nonzero()[:k, 0].tolist()
        assert row == found + (found or [0])[:1] * (k - len(found))
    assert torch.equal(offsets, gather(clouds, indices) - centers[:, :, None])


def test_gradients_reach_points_and_centres_of_a_group():
    points = torch.tensor([[[0.0, 0, 0], [0.5, 0, 0], [9, 0, 0]]], requires_grad=True)
    centers = torch.tensor([[[0.25, 0, 0]]], requires_grad=True)
    group_by_radius(points, centers, 2.0, 3, scaled=True)[0].sum().backward()
    assert points.grad[0, :, 0].tolist() == [1, 0.5, 0]  # point 0 twice, over the radius
    assert centers.grad[0, 0].tolist() == [-1.5] * 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"radius": 0.0}, "radius must be a positive number, got 0.0"),
        ({"k": 0}, "k must be at least 1"),
        ({"points": torch.zeros(2, 0, 3)}, "for 0 points"),
        (
            {"points": torch.full((2, 5, 3), torch.nan)},
            r"points\[0, 0\] is \[nan, nan, nan\]: coordinates must be finite",
        ),
        ({"centers": torch.zeros(3, 2, 3)}, "one batch size, got 3 and 2"),
    ],
)
def test_bad_groups_name_rule_and_value(change, message):
    arguments = {"points": random_clouds(2, 9), "centers": random_clouds(2, 4), "radius": 0.5, "k": 3, **change}
    with shapes_unchecked(), pytest.raises(ValueError, match=message):
        group_by_radius(**arguments)
