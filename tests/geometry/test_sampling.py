import pytest
import torch
from clouds import random_clouds, spiral_cloud
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_lm4ve.geometry import kernels
from geo_lm4ve.geometry.grouping import gather
from geo_lm4ve.geometry.sampling import farthest_point_sample

FIRST = [0, 1008, 563, 671, 745, 696, 312, 331]


@pytest.fixture(params=["chosen", "reference"])
def _implementation(request):
    if request.param == "chosen":
        yield
    else:
        with kernels.reference():
            yield


def greedy(cloud: torch.Tensor, count: int, start: int, usable: torch.Tensor) -> list[int]:
    """The definition, one point at a time, in Python."""
    chosen = [start]
    while len(chosen) < count:
        nearest = torch.cdist(cloud.double(), cloud[chosen].double()).amin(1)
        chosen.append(int(nearest.where(usable, -1.0).argmax()))
    return chosen


@pytest.mark.usefixtures("_implementation")
def test_golden_indices_of_the_spiral_cloud():
    assert farthest_point_sample(spiral_cloud()[None], 8).tolist() == [FIRST]


@pytest.mark.usefixtures("_implementation")
@pytest.mark.parametrize("start", [0, 7])
def test_every_next_point_is_the_farthest(start):
    clouds = random_clouds(3, 50)
    indices = farthest_point_sample(clouds, 20, start=start)
    everywhere = torch.ones(50, dtype=torch.bool)
    assert indices.tolist() == [greedy(cloud, 20, start, everywhere) for cloud in clouds]


@pytest.mark.usefixtures("_implementation")
def test_batch_equals_loop_and_prefix_equals_shorter_sample():
    clouds = random_clouds(40, 900)
    batch = farthest_point_sample(clouds, 30)
    assert torch.equal(batch, torch.cat([farthest_point_sample(cloud[None], 30) for cloud in clouds]))
    assert torch.equal(batch[:, :11], farthest_point_sample(clouds, 11))


@pytest.mark.usefixtures("_implementation")
def test_k_equal_n_returns_every_point():
    indices = farthest_point_sample(random_clouds(2, 33), 33)
    assert indices.sort(1).values.tolist() == [list(range(33))] * 2


@pytest.mark.usefixtures("_implementation")
def test_translation_does_not_change_the_sample():
    # A power of two per axis keeps the differences exact enough that no distance changes its rank.
    clouds = random_clouds(4, 200)
    moved = clouds.double() + torch.tensor([4.0, -8.0, 2.0])
    assert torch.equal(farthest_point_sample(clouds.double(), 40), farthest_point_sample(moved, 40))


def test_permuted_cloud_gives_the_same_points_when_the_start_is_kept():
    cloud = random_clouds(1, 100)
    order = torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(99)])
    kept = gather(cloud, farthest_point_sample(cloud, 25))
    permuted = gather(cloud[:, order], farthest_point_sample(cloud[:, order], 25))
    assert torch.equal(kept, permuted)


def test_skip_near_origin_passes_over_points_and_depends_on_position():
    clouds = random_clouds(3, 60)
    clouds[:, 1::2] *= 0.005  # half of the points within 0.0316 of the origin
    near = clouds.square().sum(-1) <= 1e-3
    assert near.sum() >= 80
    indices = farthest_point_sample(clouds, 20, skip_near_origin=1e-3)
    assert indices.tolist() == [greedy(cloud, 20, 0, ~skip) for cloud, skip in zip(clouds, near)]
    moved = clouds + 1.0
    assert not torch.equal(farthest_point_sample(moved, 35, skip_near_origin=1e-3), indices)
    assert near.gather(1, farthest_point_sample(moved, 35, skip_near_origin=1e-3)).any()


def test_start_near_the_origin_is_kept_when_skipping():
    cloud = torch.tensor([[[0.0, 0, 0], [0.001, 0, 0], [2, 0, 0], [0, 1, 0]]])
    assert farthest_point_sample(cloud, 3, skip_near_origin=1e-3).tolist() == [[0, 2, 3]]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.data())
def test_distinct_while_there_are_distinct_points(points, data):
    count = data.draw(st.integers(1, points))
    copies = random_clouds(1, points, seed=points).repeat(1, 3, 1)  # every point three times
    taken = gather(copies, farthest_point_sample(copies, count))
    assert len(taken[0].unique(dim=0)) == count


def test_duplicates_beyond_the_distinct_points_repeat_indices():
    with kernels.reference():
        assert farthest_point_sample(torch.zeros(1, 5, 3), 4).tolist() == [[0, 0, 0, 0]]


def test_lowest_index_wins_ties_in_the_reference():
    square = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [-1, 0, 0], [0, 1, 0]]])
    with kernels.reference():
        assert farthest_point_sample(square, 3).tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_dtypes(dtype):
    cloud = spiral_cloud(64)[None].to(dtype)
    expected = greedy(cloud[0], 10, 0, torch.ones(64, dtype=torch.bool))
    assert farthest_point_sample(cloud, 10).tolist() == [expected]


def test_no_gradient_and_autograd_input():
    clouds = random_clouds(2, 20).requires_grad_()
    assert not farthest_point_sample(clouds, 5).requires_grad


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 21}, "count=21 for 20 points"),
        ({"count": 0}, "between 1 and the number of points"),
        ({"start": 20}, "start must be an index"),
        ({"start": -1}, "start must be an index"),
        ({"skip_near_origin": -1.0}, "squared distance"),
        ({"points": torch.zeros(2, 20, 3) / 0}, r"points\[0, 0\] is \[nan"),
        ({"points": torch.full((1, 20, 3), torch.inf)}, "finite"),
        ({"points": torch.zeros(2, 0, 3), "count": 1}, "count=1 for 0 points"),
    ],
)
def test_bad_arguments_name_rule_and_value(change, message):
    arguments = {"points": random_clouds(2, 20), "count": 5, **change}
    with pytest.raises(ValueError, match=message):
        farthest_point_sample(**arguments)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_gpu_equals_cpu():
    clouds = torch.cat([random_clouds(4, 1024), spiral_cloud()[None]])
    assert torch.equal(farthest_point_sample(clouds, 64), farthest_point_sample(clouds.cuda(), 64).cpu())
