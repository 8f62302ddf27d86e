import pytest
import torch
from clouds import random_clouds

from geo_lm4ve.data.loaders import EvalLoader, TrainLoader
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.augment import ScaleAndShift
from geo_lm4ve.points.files import Clouds
from geo_lm4ve.points.loader import CloudSplit, Recipe

CLOUDS = Clouds(random_clouds(53, 12), torch.arange(53) % 5)
RECIPE = Recipe(points=8, shuffle_points=True, augment=ScaleAndShift(2 / 3, 3 / 2, 0.2))
PLAIN = Recipe(points=8, shuffle_points=False, augment=ScaleAndShift(1.0, 1.0, 0.0))


def train(recipe=RECIPE, batch_size=4, seed=0, rank=0, world=1):
    return TrainLoader(CloudSplit(CLOUDS, recipe), batch_size=batch_size, seed=seed, rank=rank, world=world)


def evaluation(batch_size=4, seed=0, rank=0, world=1, view=0, recipe=RECIPE):
    clouds = CloudSplit(CLOUDS, recipe)
    return EvalLoader(clouds, batch_size=batch_size, seed=seed, rank=rank, world=world, view=view)


def joined(batches):
    batches = list(batches)
    return tuple(torch.cat([getattr(batch, name) for batch in batches]) for name in ("points", "labels", "index"))


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(joined(first), joined(second), strict=True))


def test_training_covers_every_cloud_once_but_the_last_incomplete_batch():
    loader = train()
    assert (len(loader), loader.samples) == (13, 53)
    points, labels, index = joined(loader.batches(0))
    assert points.shape == (52, 8, 3)
    assert len(index.unique()) == 52
    assert torch.equal(labels, CLOUDS.labels[index])
    assert not torch.equal(index, index.sort().values)


def test_an_epoch_is_a_function_of_seed_and_epoch():
    assert same(train().batches(3), train().batches(3))
    for other in (train().batches(4), train(seed=1).batches(3)):
        points, _, index = joined(other)
        assert not torch.equal(index, joined(train().batches(3))[2])
        assert not torch.equal(points, joined(train().batches(3))[0])


def test_a_resumed_epoch_continues_with_the_same_batches():
    assert same(train().batches(2, start=5), list(train().batches(2))[5:])
    assert list(train().batches(2, start=13)) == []


@pytest.mark.parametrize("world", [2, 3])
def test_processes_see_what_one_with_the_larger_batch_sees(world):
    one = list(train(batch_size=4 * world).batches(1))
    shares = [list(train(rank=rank, world=world).batches(1)) for rank in range(world)]
    assert {len(share) for share in shares} == {len(one)}
    for k, batch in enumerate(one):
        assert same([batch], [share[k] for share in shares])


def test_a_batch_takes_one_random_subset_of_the_stored_points():
    subsets = set()
    for batch in train(Recipe(points=8, shuffle_points=True, augment=PLAIN.augment)).batches(0):
        stored = CLOUDS.points[batch.index]
        where = (batch.points[:, :, None] == stored[:, None]).all(-1)
        assert (where.sum(-1) == 1).all()
        (subset,) = where.int().argmax(-1).unique(dim=0).tolist()
        assert len(set(subset)) == 8
        subsets.add(tuple(subset))
    assert len(subsets) == 13


def test_every_cloud_is_scaled_and_shifted_on_its_own():
    recipe = Recipe(points=8, shuffle_points=False, augment=RECIPE.augment)
    points, _, index = joined(train(recipe).batches(0))
    stored = CLOUDS.points[index, :8]
    scale = (points[:, 1] - points[:, 0]) / (stored[:, 1] - stored[:, 0])
    shift = points[:, 0] - scale * stored[:, 0]
    torch.testing.assert_close(points, scale[:, None] * stored + shift[:, None], rtol=1e-3, atol=1e-3)
    assert scale.min() > 0.66
    assert scale.max() < 1.51
    assert shift.abs().max() < 0.21
    assert scale.std() > 0.15
    assert shift.std() > 0.08


def test_without_shuffling_and_augmentation_the_first_points_come_unchanged():
    for batch in train(PLAIN).batches(0):
        assert torch.equal(batch.points, CLOUDS.points[batch.index, :8])


def test_too_few_clouds_for_a_batch():
    with pytest.raises(DataError, match="53 clouds do not fill one batch of 30 on each of 2 processes; lower"):
        train(batch_size=30, world=2)


@pytest.mark.parametrize("world", [1, 2, 4, 60])
def test_evaluation_gives_every_cloud_once_in_file_order_without_augmentation(world):
    shares = [evaluation(rank=rank, world=world) for rank in range(world)]
    batches = [batch for share in shares for batch in share.batches(0)]
    points, labels, index = joined(batches)
    assert index.tolist() == list(range(53))
    assert torch.equal(labels, CLOUDS.labels)
    assert torch.equal(points, CLOUDS.points[:, :8])
    assert all(len(list(share.batches(0))) == len(share) for share in shares)
    assert {share.samples for share in shares} == {53}
    assert max(len(share) for share in shares) - min(len(share) for share in shares) <= 1


def test_evaluation_is_the_same_in_every_epoch_and_can_start_late():
    assert same(evaluation().batches(0), evaluation(seed=5).batches(7))
    assert same(evaluation().batches(0, start=3), list(evaluation().batches(0))[3:])


def test_views_differ_and_do_not_depend_on_batches_or_processes():
    first, second = evaluation(view=1), evaluation(view=2)
    assert same(first.batches(0), evaluation(view=1, batch_size=53).batches(0))
    assert same(first.batches(0), [b for r in range(3) for b in evaluation(view=1, rank=r, world=3).batches(0)])
    assert joined(first.batches(0))[2].tolist() == list(range(53))
    assert not same(first.batches(0), second.batches(0))
    assert not same(first.batches(0), evaluation(view=1, seed=1).batches(0))
    assert not same(first.batches(0), evaluation().batches(0))


@pytest.mark.parametrize("view", [0, 2])
def test_workers_change_no_cloud(view):
    place = {"batch_size": 4, "seed": 1}
    clouds = CloudSplit(CLOUDS, RECIPE)
    assert same(TrainLoader(clouds, **place, workers=3).batches(2), TrainLoader(clouds, **place).batches(2))
    assert same(
        EvalLoader(clouds, view=view, **place, workers=3).batches(), EvalLoader(clouds, view=view, **place).batches()
    )
