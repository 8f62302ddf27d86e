"""Batches of images: what they hang on, masks, repetitions, voting views."""

import numpy as np
import pytest
import torch
from held_images import noise

from geo_lm4ve.data.loaders import Draw, make_loader
from geo_lm4ve.images.loader import ImageSplit
from geo_lm4ve.images.recipe import Recipe
from geo_lm4ve.images.views import MiddleWindow, RandomWindow

RECIPE = Recipe((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))


def split(count=12, repeats=1, recipe=RECIPE, **more):
    return ImageSplit(noise(count, **more), 3, RandomWindow(16), MiddleWindow(16), recipe, repeats)


def batches(of, **place):
    return list(make_loader(of, **{"train": True, "batch_size": 4, "seed": 3, **place}).batches(1))


def test_an_epoch_shows_every_image_once():
    rows = torch.cat([batch.index for batch in batches(split())])
    assert sorted(rows.tolist()) == list(range(12))


def test_repeated_augmentation_shows_a_third_of_the_images_in_views_of_their_own():
    of = split(12, repeats=3)
    made = batches(of, batch_size=6)
    rows = torch.cat([batch.index for batch in made])
    assert sorted(rows.bincount(minlength=12).tolist()) == [0] * 8 + [3] * 4
    first = (made[0].index == made[0].index[0]).nonzero()[:, 0].tolist()
    views = [made[0].pixels[place] for place in first]
    assert len(views) == 3
    assert not torch.equal(views[0], views[1])


def test_two_processes_see_what_one_with_the_doubled_batch_sees():
    whole = batches(split(), batch_size=4)
    parts = [batches(split(), batch_size=2, rank=rank, world=2) for rank in range(2)]
    for one, *shares in zip(whole, *parts):
        assert torch.equal(one.pixels, torch.cat([share.pixels for share in shares]))
        assert torch.equal(one.index, torch.cat([share.index for share in shares]))


def test_a_batch_hangs_on_seed_epoch_and_number_whoever_makes_it():
    one = batches(split())
    ahead = batches(split(), workers=2)
    other = batches(split(), seed=4)
    assert all(torch.equal(a.pixels, b.pixels) for a, b in zip(one, ahead))
    assert not torch.equal(one[0].pixels, other[0].pixels)
    later = list(make_loader(split(), train=True, batch_size=4, seed=3).batches(1, start=2))
    assert torch.equal(one[2].pixels, later[0].pixels)


def test_evaluation_shows_the_middle_normalised_with_its_mask():
    of = split(5, masked=True)
    batch = of.batch(torch.tensor([3, 1]))
    seen = MiddleWindow(16)(of.pictures.image(1))
    expected = (torch.from_numpy(np.array(seen)) / 255 - torch.tensor(RECIPE.mean)) / torch.tensor(RECIPE.std)
    torch.testing.assert_close(batch.pixels[1].permute(1, 2, 0), expected, atol=1e-6, rtol=1e-6)
    assert batch.labels.tolist() == [0, 1]
    assert batch.names == ("3.png", "1.png")
    assert batch.masks[0].float().mean(0).tolist() == [1.0] * 8 + [0.0] * 8
    assert split(5).batch(torch.tensor([0])).masks is None


def test_what_is_shown_is_what_was_read():
    of = split(3)
    batch = of.batch(torch.tensor([2]))
    seen = MiddleWindow(16)(of.pictures.image(2))
    assert RECIPE.shown(batch.pixels[0]).tolist() == torch.from_numpy(np.array(seen)).tolist()


def test_voting_views_differ_from_one_another_and_come_again():
    of = split(4)
    rows = torch.tensor([0, 1])
    plain, first, again, second = (
        one.batch(rows).pixels for one in (of, of.augmented(0, 1), of.augmented(0, 1), of.augmented(0, 2))
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert not torch.equal(first, plain)


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_flips_mirror_left_and_right(flip):
    views = torch.arange(2 * 3 * 4 * 5, dtype=torch.uint8).view(2, 3, 4, 5)
    recipe = Recipe((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), flip)
    seen = recipe.varied(views, [torch.Generator().manual_seed(seed) for seed in (0, 1)])
    assert torch.equal((seen * 255).round().byte(), views.flip(-1) if flip else views)


def test_what_an_image_becomes_does_not_hang_on_its_companions():
    of = split()
    draw = Draw(0, 0, 0, 2, slice(0, 2))
    first = of.train_batch(torch.tensor([5, 7]), draw).pixels
    second = of.train_batch(torch.tensor([5, 9]), draw).pixels
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[1], second[1])
