"""Rooms as a run sees them: batches, orders, points, features, options."""

import itertools
import shutil

import numpy as np
import pytest
import torch
from room_sources import LAYOUTS, again, prepare, same, source, train, val
from scans import ROOM

from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.indoor.features import MEAN_COLOR
from geo_lm4ve.indoor.scannet.build import build
from geo_lm4ve.indoor.scannet.labels import built_in
from geo_lm4ve.indoor.scannet.making import Recipe
from geo_lm4ve.indoor.stored.folder import room_file
from geo_lm4ve.indoor.stored.questions import SCANQA, find_questions
from geo_lm4ve.indoor.stored.room_file import read_room


@pytest.fixture(scope="module", params=LAYOUTS)
def prepared(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, prepare(folder, request.param)


@pytest.fixture(scope="module")
def scanqa(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("scanqa"), "scanqa")


def test_batches_hang_on_seed_epoch_and_number_alone(prepared):
    name, folder = prepared
    first, other = source(name, folder), source(name, folder, cache_gib=0.0, workers=2)
    for one, two in zip(train(first), train(other), strict=True):
        same(one, two)
    later = other.loader("train", batch_size=4, train=True, seed=3).batches(0, 1)
    same(train(first)[1], next(iter(later)))
    assert not torch.equal(train(first)[0].points, train(first, epoch=1)[0].points)


def test_two_processes_see_what_one_with_twice_the_batch_sees(prepared):
    name, folder = prepared
    data = source(name, folder, questions_per_room=2)
    whole = train(data, batch_size=8)
    for rank in (0, 1):
        for one, share in zip(whole, train(data, batch_size=4, rank=rank, world=2), strict=True):
            rows = list(range(4 * rank, 4 * rank + 4))
            assert one.index[rows].tolist() == share.index.tolist()
            for row, mine in zip(rows, range(4)):
                assert torch.equal(one.points[one.room_of[row]], share.points[share.room_of[mine]])


@pytest.mark.parametrize("world", [1, 2])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_each_scan_leads_once_over_all_batches_and_processes(prepared, world, batch_size):
    name, folder = prepared
    data = source(name, folder)
    led = [
        batch.scans[row]
        for rank in range(world)
        for batch in data.loader("train", batch_size=batch_size, train=False, seed=0, rank=rank, world=world).batches()
        for row in batch.leading
    ]
    assert sorted(led) == sorted({one.scene for one in data.questions("train")})
    assert all(batch.leading is None for batch in train(data))


def test_questions_of_a_batch_about_one_room_share_it(prepared):
    name, folder = prepared
    for data in (source(name, folder), source(name, folder, questions_per_room=4)):
        for batch in (*train(data), *val(data)):
            asked = [data.questions("train" if batch.names[0].startswith(("train", "2206")) else "val")]
            assert len(set(batch.scans)) == len(batch.scans) == len(batch.points)
            assert len(asked) == 1
    for batch in val(source(name, folder)):
        assert batch.scans == ("scene0003_00",)
        assert batch.room_of == (0,) * len(batch)


@pytest.mark.parametrize("per_room", [1, 2, 3, 50])
def test_an_epoch_visits_every_question_and_a_room_several_at_a_time(prepared, per_room):
    name, folder = prepared
    split = source(name, folder, questions_per_room=per_room).split("train")
    for epoch in range(5):
        order = split.order(7, epoch)
        assert sorted(order.tolist()) == list(range(10))
        assert torch.equal(order, split.order(7, epoch))
        scans = split.scan_of[order].tolist()
        changes = sum(one != other for one, other in itertools.pairwise(scans))
        most = sum(-(-scans.count(scan) // per_room) for scan in set(scans))
        assert changes < most
    assert split.order(7, 0).tolist() != split.order(7, 1).tolist()


def test_boxes_hold_their_points_after_augmentation(prepared):
    name, folder = prepared
    data = source(name, folder, rotate=0.0)
    for batch in train(data):
        for points, boxes, instances, valid in zip(
            batch.points, batch.objects.boxes, batch.objects.instances, batch.objects.valid
        ):
            assert valid.all()
            for row, one in enumerate(boxes):
                mine = points[instances == row]
                assert len(mine) > 10
                assert ((mine - one[:3]).abs() <= one[3:] / 2 + 1e-4).all()
            assert (instances == -1).any()


def test_evaluation_shows_rooms_as_they_are_stored(prepared):
    name, folder = prepared
    room = read_room(room_file(folder / "out", "scene0003_00"))
    for batch in val(source(name, folder)):
        np.testing.assert_array_equal(batch.points[0].numpy(), room.points[:200])
        np.testing.assert_array_equal(batch.objects.boxes[0].numpy(), room.boxes)
        assert batch.features.shape == (1, 200, 1)
    assert [one.index.tolist() for one in val(source(name, folder))] == [[0, 1], [2]]


def test_a_room_with_too_few_points_shows_some_again(scanqa):
    (batch, _) = val(source("scanqa", scanqa, points=700))
    assert batch.points.shape == (1, 700, 3)
    assert torch.equal(batch.points[0, :300], batch.points[0, 300:600])
    for one in train(source("scanqa", scanqa, points=700, flip=0.0, rotate=0.0, shift=0.0)):
        stored = read_room(room_file(scanqa / "out", one.scans[0])).points
        shown = {tuple(point) for point in one.points[0].tolist()}
        assert shown == {tuple(point) for point in stored.tolist()}, "all of them are there"


def test_features_are_those_of_the_stored_points(scanqa):
    room = read_room(room_file(scanqa / "out", "scene0003_00"))
    (batch, _) = val(source("scanqa", scanqa, features=["color", "normal", "height"]))
    assert batch.feature_names == ("color", "normal", "height")
    features = batch.features[0].numpy()
    np.testing.assert_allclose(features[:, :3], (room.colors[:200] - np.array(MEAN_COLOR)) / 256, atol=1e-6)
    np.testing.assert_array_equal(features[:, 3:6], room.normals[:200])
    low = np.percentile(room.points[:, 2].astype(np.float64), 0.99)
    np.testing.assert_allclose(features[:, 6], room.points[:200, 2] - low, atol=1e-6)


def test_heights_colours_and_normals_do_not_know_how_a_room_was_moved(scanqa):
    kinds = ["color", "normal", "height"]
    moved, still = (
        source("scanqa", scanqa, features=kinds),
        source("scanqa", scanqa, features=kinds, flip=0.0, rotate=0.0, shift=0.0),
    )
    for epoch in range(3):  # ScanQA's own code makes colours darker with every epoch
        for one, other in zip(train(moved, epoch), train(still, epoch), strict=True):
            assert torch.equal(one.features, other.features)
            assert not torch.equal(one.points, other.points)


def test_views_for_voting_differ_and_stay(scanqa):
    data = source("scanqa", scanqa)
    one, same_again, other = val(data, view=1)[0], val(data, view=1)[0], val(data, view=2)[0]
    same(one, same_again)
    assert not torch.equal(one.points, other.points)


def test_a_limit_and_scans_that_are_gone_are_in_the_title(tmp_path, capsys):
    folder = prepare(tmp_path, "scanqa")
    assert "5 of 10 train, 3 val; 200 points with height)" in source("scanqa", folder, limit=5).info.title
    shutil.rmtree(folder / "scans" / "scene0003_00")
    with pytest.raises(DataError, match="--allow-missing"):
        again(folder, "scanqa")
    with pytest.raises(
        DataError, match=r"or their preparation did not end: run .* scanqa --from QUESTIONS --scans SCANS"
    ):
        source("scanqa", folder)
    build(
        folder / "out",
        find_questions(SCANQA, folder / "qa"),
        folder / "scans",
        Recipe(built_in(), 300),
        allow_missing=1,
    )
    capsys.readouterr()
    data = source("scanqa", folder)
    assert data.info.counts == {"train": 10}
    assert "val: 3 of 3 questions are left out, whose scans were not prepared" in capsys.readouterr().err
    with pytest.raises(DataError, match="has no split 'val', only train"):
        data.loader("val", batch_size=1, train=False, seed=0)


def test_options_that_cannot_be_meant_are_named(scanqa):
    with pytest.raises(ConfigError, match=r"data.features=\[height,color\] must name every kind once, in the order"):
        make("data", "scanqa", {"features": ["height", "color"]})
    with pytest.raises(ConfigError, match="questions_per_room=0"):
        make("data", "scanqa", {"questions_per_room": 0})
    with pytest.raises(ConfigError, match=r"data.flip=1.5"):
        make("data", "sqa3d", {"flip": 1.5})
    with pytest.raises(DataError, match=r"was prepared without image features: leave multiview out of data.features"):
        source("scanqa", scanqa, features=["multiview"])
    with pytest.raises(DataError, match="there is no folder"):
        source("scanqa", scanqa / "elsewhere")
    assert len(ROOM) == 6
