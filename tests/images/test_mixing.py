"""What images become is what their targets say, pixel by pixel."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from geo_lm4ve.data.random import generator
from geo_lm4ve.images.augment.mixing import Mixing

CLASSES = 7
LABELS = torch.tensor([0, 1, 2, 3, 4, 5])


def mixed(mixing, key, labels=LABELS, side=32):
    """Images whose every pixel is their label."""
    pixels = labels[:, None, None, None].float().expand(-1, 3, side, side)
    return mixing(pixels, labels, CLASSES, generator(key))


def shares(mixing, count=500):
    return torch.tensor([mixed(mixing, key, LABELS[:2], 8)[1][0, 0].item() for key in range(count)])


def test_targets_are_the_shares_of_pixels_that_cutmix_leaves():
    for key in range(60):
        pixels, targets = mixed(Mixing(cutmix=1.0), key)
        assert torch.allclose(targets.sum(1), torch.ones(6))
        for label, other in zip(LABELS.tolist(), LABELS.flip(0).tolist()):
            assert set(pixels[label].unique().tolist()) <= {label, other}
            own = (pixels[label] == label).float().mean()
            assert targets[label, label] == pytest.approx(own.item(), abs=1e-6)
            assert targets[label, other] == pytest.approx(1 - own.item(), abs=1e-6)


def test_a_box_of_cutmix_lies_at_one_place_in_all_images():
    pixels, _ = mixed(Mixing(cutmix=1.0), 4)
    holes = (pixels != LABELS[:, None, None, None])[:, 0]
    assert torch.equal(holes, holes[:1].expand(6, -1, -1))
    rows, columns = holes[0].any(1).sum(), holes[0].any(0).sum()
    assert 0 < holes[0].sum() == rows * columns


def test_targets_are_the_shares_that_mixup_blends():
    for key in range(60):
        pixels, targets = mixed(Mixing(mixup=0.8), key)
        assert torch.allclose(targets.sum(1), torch.ones(6))
        meant = (targets * torch.arange(CLASSES)).sum(1)
        assert torch.allclose(pixels, meant[:, None, None, None].expand_as(pixels), atol=1e-5)


def test_shares_are_beta_distributed():
    """Mean 1/2, variance 1 / (4 (2 alpha + 1)): 1/12 of alpha 1, 0.0962 of 0.8."""
    for alpha in (0.8, 1.0, 8.0):
        drawn = shares(Mixing(mixup=alpha))
        assert drawn.mean().item() == pytest.approx(0.5, abs=0.05)
        assert drawn.var().item() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.15)


def test_either_of_both_and_sometimes_none():
    def kinds(mixing, count=300):
        first = [mixed(mixing, key, LABELS[:2], 8)[0][0] for key in range(count)]
        mixup = sum(bool((image > 0).all()) for image in first)
        return mixup / count, sum(bool((image > 0).any()) for image in first) / count - mixup / count

    assert kinds(Mixing(0.8, 1.0)) == pytest.approx((0.5, 0.45), abs=0.12)
    assert kinds(Mixing(0.8, 1.0, switch=0.0)) == pytest.approx((1, 0), abs=0.02)
    assert kinds(Mixing(0.8, 1.0, switch=1.0)) == pytest.approx((0.01, 0.94), abs=0.06)
    assert sum(kinds(Mixing(0.8, 1.0, probability=0.3))) == pytest.approx(0.3, abs=0.08)
    pixels, targets = mixed(Mixing(0.8, 1.0, probability=0.0), 0)
    assert torch.equal(pixels[:, 0, 0, 0], LABELS.float())
    assert torch.equal(targets, F.one_hot(LABELS, CLASSES).float())


def test_the_middle_one_of_an_odd_batch_stays():
    pixels, targets = mixed(Mixing(mixup=0.8), 1, LABELS[:5])
    assert torch.allclose(pixels[2], torch.full_like(pixels[2], 2))
    assert torch.allclose(targets[2], F.one_hot(LABELS[2], CLASSES).float())
