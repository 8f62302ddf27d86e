import json
from dataclasses import fields, replace

import numpy as np
import pytest
from scans import write_scan

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.indoor.scannet.labels import built_in
from geo_lm4ve.indoor.scannet.scan import ScanFiles, read_scan
from geo_lm4ve.indoor.stored.folder import room_file
from geo_lm4ve.indoor.stored.room_file import RoomRecord, read_boxes, read_record, read_room, write_room
from geo_lm4ve.indoor.stored.rooms import Rooms, size
from geo_lm4ve.indoor.stored.tables import MeanSizes, read_counts, read_mean_sizes


@pytest.fixture
def room(tmp_path):
    write_scan(tmp_path / "scans", "scene0000_00")
    return read_scan(ScanFiles(tmp_path / "scans", "scene0000_00"), built_in())[0]


def same(one, other):
    for field in fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


def test_a_room_comes_back_as_it_was(tmp_path, room):
    path = tmp_path / "room.safetensors"
    features = np.random.default_rng(0).normal(size=(len(room), 128)).astype(np.float32)
    for one in (room, replace(room, multiview=features)):
        write_room(path, one, RoomRecord("key", {"vertices": 3}))
        same(read_room(path), one)
        assert read_record(path) == RoomRecord("key", {"vertices": 3})
    for got, wanted in zip(read_boxes(path), (room.boxes, room.classes, room.ids)):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": np.full((324, 3), np.nan, np.float32)}, "points has a number that is not finite"),
        ({"instances": np.full(324, 4, np.int32)}, "instances name an object that is none of 4"),
        ({"classes": np.full(4, 18)}, "classes has a label that is none of 0 to 17"),
        ({"ids": np.array([1, 1, 2, 3])}, "ids has one twice"),
        ({"labels": ("chair",)}, "1 labels of 4 objects"),
        ({"normals": np.full((324, 3), 0.7, np.float32)}, "normals has one that is longer than 1"),
    ],
)
def test_a_room_that_cannot_be_is_refused(tmp_path, room, change, message):
    path = tmp_path / "room.safetensors"
    write_room(path, replace(room, **change), RoomRecord("key", {}))
    with pytest.raises(DataError, match=f"{message}.*delete it and prepare the data again"):
        read_room(path)


def test_rooms_that_were_used_last_stay_in_memory(tmp_path, room):
    names = [f"scene000{number}_00" for number in range(3)]
    for name in names:
        write_room(room_file(tmp_path, name), replace(room, name=name), RoomRecord("key", {}))
    rooms = Rooms(tmp_path, 2 * size(room))
    first = rooms[names[0]]
    assert rooms[names[0]] is first
    assert rooms[names[1]].name == names[1]
    assert rooms[names[0]] is first
    assert rooms.reads == 2
    assert rooms[names[2]].name == names[2]  # pushes out the second, which was used longest ago
    assert rooms[names[0]] is first
    assert rooms.reads == 3
    assert rooms.bytes == 2 * size(room)
    assert rooms[names[1]].name == names[1]
    assert rooms.reads == 4
    small = Rooms(tmp_path, 0)
    assert small[names[0]] is small[names[0]]
    room_file(tmp_path, names[1]).rename(room_file(tmp_path, "scene0009_00"))
    with pytest.raises(DataError, match=r"scene0009_00.safetensors holds the room 'scene0001_00'"):
        rooms["scene0009_00"]


def test_mean_sizes_of_boxes_by_class(tmp_path):
    boxes = np.array([[0, 0, 0, 1, 2, 3], [5, 5, 5, 3, 4, 5], [0, 0, 0, 0, 1, 1]], np.float32)
    means = MeanSizes.of(boxes, np.array([2, 2, 8]))
    np.testing.assert_allclose(means.sizes[2], [2, 3, 4])
    np.testing.assert_allclose(means.sizes[8], [1e-3, 1, 1])  # nothing is a part of no thickness
    np.testing.assert_allclose(means.sizes[0], [4 / 3, 7 / 3, 3])
    assert means.boxes["chair"] == 2
    assert len(means.without) == 16
    means.write(path := tmp_path / "mean_sizes.json")
    again = read_mean_sizes(path)
    np.testing.assert_allclose(again.sizes, means.sizes, rtol=1e-6)
    assert again.boxes == means.boxes
    with pytest.raises(DataError, match="no scan of train has an object"):
        MeanSizes.of(np.empty((0, 6), np.float32), np.empty(0, np.int64))
    content = json.loads(path.read_text())
    content["sizes"]["bed"][1] = 0
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"the size of 'bed' is 0.0, not a length in metres"):
        read_mean_sizes(path)


def test_counts_of_answers_are_whole_numbers(tmp_path):
    path = tmp_path / "answers.json"
    path.write_text('{"blue": 2, "": 1}')
    assert read_counts(path) == {"blue": 2, "": 1}
    for bad in ('{"blue": 0}', "{}", '{"blue": true}'):
        path.write_text(bad)
        with pytest.raises(DataError, match=r"answers.json is cut off"):
            read_counts(path)
