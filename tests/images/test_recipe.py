"""A batch of a training split: on what it depends, and what augmented views of an evaluation leave out."""

from dataclasses import dataclass

import pytest
import torch
from made_images import made_images, pillow

from geo_lm4ve.config import ConfigError
from geo_lm4ve.data.loaders import make_loader
from geo_lm4ve.data.random import generator
from geo_lm4ve.images.augment.jitter import Jitter
from geo_lm4ve.images.data_config import ImageConfig
from geo_lm4ve.images.loader import ImageSplit
from geo_lm4ve.images.recipe import Recipe

DEIT = {"randaugment": "rand-m9-mstd0.5-inc1", "erasing": 0.25, "mixup": 0.8, "cutmix": 1.0}


@dataclass
class InMemory:
    pixels: torch.Tensor

    @property
    def labels(self):
        return torch.arange(len(self.pixels)) % 3

    def __len__(self):
        return len(self.pixels)

    def image(self, row):
        return pillow(self.pixels[row])

    def mask(self, row):
        return None

    def name(self, row):
        return str(row)


def config(**values):
    return ImageConfig(name="in_memory", root="nowhere", size=24, **values)


def batches(world=1, rank=0, workers=0, size=8, **values):
    chosen = config(**values)
    of = ImageSplit(InMemory(made_images(32)), 3, chosen.window, chosen.middle, chosen.recipe)
    loader = make_loader(
        of, train=True, batch_size=size // world, seed=5, rank=rank, world=world, workers=workers, prefetch=2
    )
    return list(loader.batches(1))


def test_the_recipe_is_what_the_keys_say():
    recipe = config(**DEIT).recipe
    assert recipe.colours.fill == (124, 116, 104)
    assert (recipe.erasing.probability, recipe.mixing.mixup, recipe.mixing.cutmix) == (0.25, 0.8, 1.0)
    assert config(jitter=0.3).recipe.colours == Jitter(0.3)
    assert config().recipe == Recipe((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 0.5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"erasing": 1.5}, r"data\.erasing=1\.5 is a probability: it must be in \[0, 1\]"),
        ({"mix_switch": -0.1}, r"data\.mix_switch=-0\.1 is a probability"),
        ({"mixup": -1.0}, r"data\.mixup=-1\.0 must be at least 0, and finite"),
        ({"cutmix": float("nan")}, r"data\.cutmix=nan must be at least 0"),
        ({"randaugment": "autoaugment"}, r"data\.randaugment=autoaugment is no policy of timm's kind: write rand-m9"),
        ({"randaugment": "rand-m9", "jitter": 0.4}, r"data\.jitter=0\.4 would do so again: set one of them"),
    ],
)
def test_bad_keys_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        config(**values)


def test_batches_are_the_same_in_threads_and_another_time():
    once = batches(**DEIT)
    for again in (batches(**DEIT), batches(workers=2, **DEIT)):
        assert all(torch.equal(one.pixels, other.pixels) for one, other in zip(once, again, strict=True))
        assert all(torch.equal(one.targets, other.targets) for one, other in zip(once, again, strict=True))
    assert not torch.equal(once[0].pixels, batches(**{**DEIT, "mixup": 0.0})[0].pixels)


def test_what_is_not_mixed_is_the_same_over_two_processes():
    kept = {**DEIT, "mixup": 0.0, "cutmix": 0.0, "erasing": 1.0}
    shares = [batches(world=2, rank=rank, **kept) for rank in (0, 1)]
    for whole, *parts in zip(batches(**kept), *shares, strict=True):
        assert torch.equal(whole.pixels, torch.cat([part.pixels for part in parts]))
        assert whole.targets is None


def test_each_process_mixes_its_own_share():
    for part in batches(world=2, rank=1, **DEIT):
        present = torch.zeros(3).index_fill(0, part.labels, 1)
        assert (part.targets[:, present == 0] == 0).all()
        assert torch.allclose(part.targets.sum(1), torch.ones(4))


def test_half_of_the_views_are_mirrored():
    recipe, views = Recipe((0.0,) * 3, (1.0,) * 3), made_images(1).expand(400, -1, -1, -1)
    seen = (recipe.varied(views, [generator(row) for row in range(400)]) * 255).round().byte()
    mirrored = (seen == views.flip(-1)).flatten(1).all(1)
    assert torch.equal(~mirrored, (seen == views).flatten(1).all(1))
    assert mirrored.float().mean().item() == pytest.approx(0.5, abs=0.08)


def test_augmented_views_have_other_windows_and_nothing_else():
    chosen = config(**{**DEIT, "erasing": 1.0})
    of = ImageSplit(InMemory(made_images(6)), 3, chosen.window, chosen.middle, chosen.recipe)
    plain = ImageSplit(of.pictures, 3, of.window, of.middle, config().recipe)
    rows = torch.arange(6)
    assert torch.equal(of.augmented(0, 1).batch(rows).pixels, plain.augmented(0, 1).batch(rows).pixels)
    assert torch.equal(of.batch(rows).pixels, plain.batch(rows).pixels)
