"""Hidden groups: how many, which ones, and that the encoder knows nothing of them."""

import pytest
import torch

from geo_lm4ve.config import ConfigError
from geo_lm4ve.options import load_option
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.testing import assert_equal_up_to_rounding

SIZES = {"dim": 24, "depth": 2, "heads": 3, "num_groups": 10, "group_size": 4, "encoder_dim": 24, "pointnet_width": 8}


def config(**changes):
    return load_option("encoder", "point_mae_masked", {**SIZES, "drop_path": 0.0, **changes})


def encoder(**changes):
    torch.manual_seed(0)
    return config(**changes).build()


def clusters(seed=0, size=3):
    """Clouds of ten far clusters of four points each: a group is a cluster, whatever happens inside the others."""
    random = torch.Generator().manual_seed(seed)
    middles = torch.randn(size, 10, 1, 3, generator=random)
    return (middles + 1e-3 * torch.randn(size, 10, 4, 3, generator=random)).flatten(1, 2), middles.squeeze(2)


def batch_of(points, index=None):
    index = torch.arange(len(points)) if index is None else torch.as_tensor(index)
    return PointBatch(points, torch.zeros(len(points), dtype=torch.long), index)


@pytest.mark.parametrize(("ratio", "hidden"), [(0.6, 6), (0.65, 6), (0.1, 1), (0.95, 9)])
@pytest.mark.parametrize("training", [True, False])
def test_exactly_so_many_groups_are_hidden_and_every_group_is_one_or_the_other(ratio, hidden, training):
    points, middles = clusters()
    tokens = encoder(mask_ratio=ratio).train(training)(batch_of(points))
    centers = tokens.context["hidden_centers"]
    assert centers.shape == (3, hidden, 3)
    assert tokens.context["hidden_groups"].shape == (3, hidden, 4, 3)
    assert tokens.features.shape == (3, 10 - hidden, 24)
    assert tokens.spans == {"visible": (0, 10 - hidden)}
    together = torch.cat([centers, tokens.positions], dim=1)
    nearest = torch.cdist(together, middles).argmin(2).sort(1).values
    assert nearest.tolist() == [list(range(10))] * 3


@pytest.mark.parametrize("training", [True, False])
def test_what_is_hidden_does_not_reach_the_encoder(training):
    points, middles = clusters()
    model = encoder().train(training)
    torch.manual_seed(1)
    tokens = model(batch_of(points))
    hidden = torch.cdist(tokens.context["hidden_centers"], middles).argmin(2)
    moved = points.unflatten(1, (10, 4)).clone()
    for row, groups in enumerate(hidden):
        moved[row, groups] += 1e-3 * torch.randn(6, 4, 3, generator=torch.Generator().manual_seed(row))
    torch.manual_seed(1)
    after = model(batch_of(moved.flatten(1, 2)))
    assert not torch.equal(tokens.context["hidden_groups"], after.context["hidden_groups"])
    assert torch.equal(tokens.features, after.features)
    assert torch.equal(tokens.positions, after.positions)


def test_in_evaluation_the_row_decides_whatever_the_batch():
    points, _ = clusters(size=6)
    model = encoder().eval()
    whole = model(batch_of(points))
    for row in (4, 1):
        alone = model(batch_of(points[row : row + 1], [row]))
        assert torch.equal(alone.context["hidden_centers"][0], whole.context["hidden_centers"][row])
    other = model(batch_of(points[:1], [7]))
    assert not torch.equal(other.context["hidden_centers"][0], whole.context["hidden_centers"][0])


def test_in_training_the_seed_decides():
    points, _ = clusters()
    model, found = encoder().train(), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(model(batch_of(points)).context["hidden_centers"])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_every_group_is_hidden_as_often_as_the_ratio_says():
    stage, rows = encoder().stages["embed"].eval(), 4000
    hidden, _ = stage.divided(stage.order(torch.arange(rows)))
    share = hidden.flatten().bincount(minlength=10) / rows
    assert ((share - 0.6).abs() < 5 * (0.6 * 0.4 / rows) ** 0.5).all(), share


def test_a_visible_group_has_the_token_that_the_whole_encoder_gives_it():
    points, _ = clusters()
    masked = encoder().eval()
    whole = config().unmasked().build().eval()
    missing, unexpected = whole.load_state_dict(masked.state_dict(), strict=False)
    assert (sorted(missing), unexpected) == (["stages.embed.cls_position", "stages.embed.cls_token"], [])
    seen = masked.stages["embed"](batch_of(points))
    all_groups = whole.stages["embed"](batch_of(points)).select("groups")
    places = torch.cdist(seen.positions, all_groups.positions).argmin(2)
    expected = all_groups.features.gather(1, places[..., None].expand(-1, -1, 24))
    assert_equal_up_to_rounding(seen.features, expected)


def test_the_encoder_after_pre_training_has_the_same_sizes():
    found = config(drop_path=0.3, skip_near_origin=1e-3).unmasked()
    assert found == load_option("encoder", "point_bert", {**SIZES, "drop_path": 0.3, "skip_near_origin": 1e-3})
    assert found.unmasked() is found


@pytest.mark.parametrize("ratio", [0.0, 1.0, -0.5, 0.09, float("nan")])
def test_a_ratio_that_hides_nothing_or_all_is_refused(ratio):
    with pytest.raises(ConfigError, match=r"encoder\.mask_ratio must be between 0 and 1 and hide at least one of"):
        config(mask_ratio=ratio)


def test_features_pass_the_encoder_and_are_not_rebuilt():
    model = encoder(features=["normal"]).eval()
    batch = PointBatch.random(2, 40, kinds=("normal",))
    tokens = model(batch)
    assert tokens.context["hidden_groups"].shape == (2, 6, 4, 3)
    assert tokens.context["visible_points"].shape == (2, 16, 3)
    other = PointBatch(batch.points, batch.labels, batch.index, features=-batch.features, feature_names=("normal",))
    assert not torch.equal(model(other).features, tokens.features)
    assert torch.equal(model(other).context["hidden_groups"], tokens.context["hidden_groups"])
