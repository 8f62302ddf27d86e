"""The policy: what timm's text means, how often operators are drawn, how much they do, and on whose random numbers."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from made_images import made_images

from geo_lm4ve.config import ConfigError
from geo_lm4ve.data.random import GlobalGenerators, generator
from geo_lm4ve.images.augment.jitter import Jitter
from geo_lm4ve.images.augment.policy import GROWING, ORIGINAL, RandAugment

MEAN = (0.485, 0.456, 0.406)
DEIT = RandAugment.parse("rand-m9-mstd0.5-inc1", MEAN)
ENHANCEMENTS = ("Color", "Contrast", "Brightness", "Sharpness")


def steps(policy, count=6000):
    return [policy.plan(generator(0, row)) for row in range(count)]


def test_texts_of_timm():
    assert RandAugment(9, 0.5, 2, 0.5, growing=True, fill=(124, 116, 104)) == DEIT
    assert RandAugment.parse("rand", (0.5, 0, 1)) == RandAugment(10, 0, 2, 0.5, growing=False, fill=(128, 0, 255))
    videos = RandAugment.parse("rand-m7-n4-mstd0.5-inc1", MEAN)
    assert (videos.magnitude, videos.operations) == (7, 4)
    assert RandAugment.parse("rand-n1-p0.25", MEAN).probability == 0.25


@pytest.mark.parametrize("text", ["m9", "rand-m11", "rand-m9-inc0", "rand-m9-w0", "augmix-m3", "rand-p1.5", "rand-m"])
def test_other_texts_are_refused(text):
    with pytest.raises(
        ConfigError, match=f"data.randaugment={text} is no policy of timm's kind: write rand-m9-mstd0.5"
    ):
        RandAugment.parse(text, MEAN)


def test_arguments_of_magnitude_nine():
    """timm's arguments at m9 without noise (its ``_level_to_arg`` functions)."""
    got = {name: argument and (argument(0.9, 1), argument(0.9, -1)) for name, argument in GROWING.items()}
    assert (got["Posterize"], got["Solarize"]) == ((1, 1), (26, 26))
    assert got["SolarizeAdd"] == (99, 99)
    for name, size in {"Rotate": 27, "ShearX": 0.27, "ShearY": 0.27, "TranslateX": 0.405, "TranslateY": 0.405}.items():
        assert got[name] == pytest.approx((size, -size))
    assert all(got[name] == pytest.approx((1.81, 0.19)) for name in ENHANCEMENTS)
    assert all(GROWING[name](1.0, -1) == pytest.approx(0.1) for name in ENHANCEMENTS)
    assert [name for name, argument in got.items() if argument is None] == ["AutoContrast", "Equalize", "Invert"]
    assert (ORIGINAL["Posterize"](0.9, 1), ORIGINAL["Solarize"](0.9, 1)) == (3, 230)
    assert all(ORIGINAL[name](0.9, -1) == pytest.approx(1.72) for name in ENHANCEMENTS)


def test_operators_are_drawn_evenly_and_half_of_them_passed_over():
    drawn = [step for plan in steps(DEIT) for step in plan]
    names = Counter(step.name for step in drawn if step)
    assert sum(names.values()) / len(drawn) == pytest.approx(0.5, abs=0.02)
    assert names.keys() == GROWING.keys()
    assert all(count == pytest.approx(400, abs=90) for count in names.values())


def test_magnitudes_are_normal_about_nine_and_end_at_ten():
    angles = torch.tensor([step.argument for plan in steps(DEIT) for step in plan if step and step.name == "Rotate"])
    magnitudes = angles.abs() / 3
    assert magnitudes.max() == 10
    assert magnitudes.median().item() == pytest.approx(9, abs=0.1)
    assert (magnitudes < 8.5).float().mean().item() == pytest.approx(0.159, abs=0.06)  # one standard deviation below
    assert (magnitudes == 10).float().mean().item() == pytest.approx(0.023, abs=0.025)  # two above
    assert (angles > 0).float().mean().item() == pytest.approx(0.5, abs=0.08)


def test_a_spread_above_a_hundred_draws_magnitudes_evenly():
    policy = RandAugment.parse("rand-m8-mstd101", MEAN)
    angles = torch.tensor([step.argument for plan in steps(policy) for step in plan if step and step.name == "Rotate"])
    assert angles.abs().max() <= 24
    assert angles.abs().mean().item() == pytest.approx(12, abs=1.2)


@pytest.mark.parametrize("change", [RandAugment.parse("rand-m9-n4-mstd0.5-inc1-p1", MEAN), Jitter(0.4)])
def test_an_image_does_not_depend_on_its_companions(change):
    views = made_images(48)
    together = change(views, [generator(7, row) for row in range(48)])
    assert (together != views).flatten(1).any(1).all()
    rows = torch.randperm(48, generator=generator(1))
    assert torch.equal(change(views[rows], [generator(7, row) for row in rows.tolist()]), together[rows])
    for row in range(48):
        assert torch.equal(change(views[row : row + 1], [generator(7, row)]), together[row : row + 1])


def test_threads_do_not_meet_and_global_generators_stay():
    change, views = RandAugment.parse("rand-m9-n4-mstd0.5-inc1-p1", MEAN), made_images(24)
    before = GlobalGenerators.now()

    def one(key):
        return change(views, [generator(key, row) for row in range(24)])

    with ThreadPoolExecutor(2) as pool:
        threaded = list(pool.map(one, range(6)))
    assert not {"torch", "numpy.random"} & {*before.drawn()}  # checks of types draw from random
    assert all(torch.equal(got, one(key)) for key, got in enumerate(threaded))


def test_views_are_not_changed_in_place():
    views = made_images(4)
    kept = views.clone()
    DEIT(views, [generator(row) for row in range(4)])
    assert torch.equal(views, kept)


def test_jitter_draws_every_order_and_factors_about_one():
    plans = [Jitter(0.4).plan(generator(row)) for row in range(1200)]
    assert len({tuple(step.name for step in plan) for plan in plans}) == 6
    factors = torch.tensor([step.argument for plan in plans for step in plan])
    assert factors.min() >= 0.6
    assert factors.max() <= 1.4
    assert factors.mean().item() == pytest.approx(1, abs=0.02)
    assert min(step.argument for row in range(200) for step in Jitter(3.0).plan(generator(row))) >= 0
