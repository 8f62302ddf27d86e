"""The last step of a batch: what augmentation and normalisation do to points and to what they carry."""

import torch
from clouds import random_clouds

from geo_lm4ve.data.loaders import EvalLoader, TrainLoader
from geo_lm4ve.data.random import generator
from geo_lm4ve.geometry.normalize import normalize_unit_sphere
from geo_lm4ve.points.augment import Pose, ScaleAndShift, Turn
from geo_lm4ve.points.features import unit
from geo_lm4ve.points.files import Clouds
from geo_lm4ve.points.finish import PLAIN, Finish
from geo_lm4ve.points.loader import CloudSplit, Recipe
from geo_lm4ve.testing import assert_equal_up_to_rounding

POINTS = random_clouds(3, 20)
NORMALS, COLORS = unit(random_clouds(3, 20, seed=1)), random_clouds(3, 20, seed=2).sigmoid()
POSE = Pose(ScaleAndShift(0.5, 2.0, 0.3).draw(3, generator(0)), Turn(180, 1).draw(3, generator(1)))


def test_without_features_and_pose_the_points_are_not_copied():
    points, features = PLAIN(POINTS, None)
    assert points is POINTS
    assert features is None


def test_height_is_above_the_lowest_point_of_the_scaled_cloud_and_not_divided_by_the_norm():
    finish = Finish(("height",), up=1, normalize=True)
    points, height = finish(POINTS, None, POSE)
    along = POSE.affine(POINTS)[..., 1]
    assert torch.equal(height[..., 0], along - along.amin(1, keepdim=True))
    assert_equal_up_to_rounding(points, POSE.rotation(normalize_unit_sphere(POSE.affine(POINTS))))
    plain = finish(POINTS, None)[1][..., 0]
    assert torch.equal(plain, POINTS[..., 1] - POINTS[..., 1].amin(1, keepdim=True))
    assert not torch.allclose(plain, height[..., 0], atol=0.01)


def test_features_come_in_the_order_of_their_kinds_and_only_normals_move():
    finish = Finish(("color", "height", "normal"), up=2)
    stored = torch.cat([COLORS, NORMALS], -1)
    _, features = finish(POINTS, stored, POSE)
    color, height, normal = features.split([3, 1, 3], -1)
    assert torch.equal(color, COLORS)
    assert torch.equal(normal, POSE.rotation(POSE.affine.normals(NORMALS)))
    assert height.amin() == 0
    assert torch.equal(finish(POINTS, stored)[1][..., 4:], NORMALS)


def test_normals_and_points_turn_together():
    """On a ball around the origin the normal is the direction of the point, however it is turned and scaled evenly."""
    ball = unit(POINTS)
    pose = Pose(ScaleAndShift(1.5, 1.5, 0.0).draw(3, generator(2)), Turn(180, 0).draw(3, generator(3)))
    points, normals = Finish(("normal",))(ball, ball, pose)
    assert (points - 1.5 * normals).abs().max() < 1e-6
    assert (points - 1.5 * ball).abs().max() > 0.5


def clouds(kinds=("normal", "height")):
    stored = Clouds(random_clouds(23, 12), torch.arange(23) % 5, unit(random_clouds(23, 12, seed=1)))
    recipe = Recipe(8, True, ScaleAndShift(0.9, 1.1, 0.0), Turn(180, 1), Finish(kinds, 1, True))
    return stored, CloudSplit(stored, recipe)


def test_features_of_a_batch_belong_to_its_points():
    stored, split = clouds(("normal",))
    for batch in EvalLoader(split, batch_size=5, seed=0).batches():
        assert torch.equal(batch.features, stored.features[batch.index, :8])
        assert torch.equal(batch.points, normalize_unit_sphere(stored.points[batch.index, :8]))
    plain = CloudSplit(stored, Recipe(8, True, ScaleAndShift(1.0, 1.0, 0.0), None, Finish(("normal",))))
    for batch in TrainLoader(plain, batch_size=5, seed=0).batches(0):
        where = (batch.points[:, :, None] == stored.points[batch.index][:, None]).all(-1).int().argmax(-1)
        expected = stored.features[batch.index[:, None], where]
        assert torch.allclose(batch.features, expected, atol=1e-6)


def test_batches_with_features_are_resumed_and_shared_like_others():
    _, split = clouds()
    whole = list(TrainLoader(split, batch_size=6, seed=3).batches(2))
    for rank in range(2):
        for batch, one in zip(TrainLoader(split, batch_size=3, seed=3, rank=rank, world=2).batches(2), whole):
            mine = slice(3 * rank, 3 * rank + 3)
            assert torch.equal(batch.points, one.points[mine])
            assert torch.equal(batch.features, one.features[mine])
    late = next(TrainLoader(split, batch_size=6, seed=3, workers=2).batches(2, start=2))
    assert torch.equal(late.features, whole[2].features)
    assert whole[0].feature_names == ("normal", "height")


def test_views_for_voting_turn_their_normals_too():
    stored, split = clouds()
    first, second = (next(EvalLoader(split, batch_size=23, seed=0, view=view).batches()) for view in (1, 2))
    assert not torch.allclose(first.features, second.features, atol=0.01)
    assert_equal_up_to_rounding(first.features[..., :3].norm(dim=-1), torch.ones(23, 8))
    assert stored.features.shape == (23, 12, 3)


def test_a_turn_changes_no_scale_or_subset_of_a_seed():
    stored, _ = clouds()
    recipes = [Recipe(8, True, ScaleAndShift(0.5, 2.0, 0.2), turn) for turn in (None, Turn(180, 2))]
    plain, turned = (next(TrainLoader(CloudSplit(stored, r), batch_size=23, seed=0).batches(0)) for r in recipes)
    assert_equal_up_to_rounding(plain.points.norm(dim=-1), turned.points.norm(dim=-1))
    assert torch.equal(plain.points[..., 2], turned.points[..., 2])
    assert not torch.allclose(plain.points, turned.points, atol=0.01)
