import json

import h5py
import numpy as np
import pytest
from scans import ROOM, TURNED, Thing, write_ply, write_scan

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.indoor.objects import CLASSES
from geo_lm4ve.indoor.scannet.alignment import read_alignment
from geo_lm4ve.indoor.scannet.annotations import Annotated, owners, read_aggregation, read_segments
from geo_lm4ve.indoor.scannet.labels import built_in, read_label_map
from geo_lm4ve.indoor.scannet.multiview import check_multiview, read_multiview
from geo_lm4ve.indoor.scannet.nyu40 import NYU40, detection_class, is_object
from geo_lm4ve.indoor.scannet.scan import ScanFiles, read_scan

NAME = "scene0000_00"


def read(folder, **how):
    return read_scan(ScanFiles(folder, NAME), built_in(), **how)


def expected(*rows):
    return np.array([[*ROOM[row].center, *ROOM[row].size] for row in rows])


def test_objects_are_boxes_in_the_aligned_frame_and_walls_are_none(tmp_path):
    write_scan(tmp_path, NAME)
    room, facts = read(tmp_path)
    assert room.ids.tolist() == [1, 2, 3, 5]
    assert room.labels == ("chair", "table", "gizmo", "couch")
    assert [CLASSES[label] for label in room.classes] == ["chair", "table", "others", "sofa"]
    assert room.nyu40.tolist() == [5, 7, 40, 6]
    np.testing.assert_allclose(room.boxes, expected(1, 2, 3, 5), atol=2e-6)
    assert facts.aligned
    assert facts.annotated
    assert facts.unmapped == {"gizmo": 1}
    assert facts.vertices == len(room) == 54 * len(ROOM)


def test_boxes_are_those_of_all_vertices_however_few_points_are_kept(tmp_path):
    write_scan(tmp_path, NAME)
    room, _ = read(tmp_path)
    few, _ = read(tmp_path, points=64)
    assert len(few) == 64
    np.testing.assert_array_equal(few.boxes, room.boxes)
    np.testing.assert_array_equal(few.points, room.points[:64])
    assert (few.points[1:] != few.points[:-1]).any(), "in random order"


def test_points_carry_their_colour_and_object_and_the_raw_normal(tmp_path):
    write_scan(tmp_path, NAME)
    room, _ = read(tmp_path)
    for row, thing in enumerate((1, 2, 3, 5)):
        mine = room.instances == row
        assert mine.sum() == 54
        assert (room.colors[mine] == ROOM[thing].color).all()
        low, high = room.boxes[row, :3] - room.boxes[row, 3:] / 2, room.boxes[row, :3] + room.boxes[row, 3:] / 2
        assert (room.points[mine] >= low - 1e-5).all()
        assert (room.points[mine] <= high + 1e-5).all()
    assert (room.instances == -1).sum() == 2 * 54
    turned = np.abs(room.normals @ TURNED[:3, :3].T)
    np.testing.assert_allclose(turned.max(1), 1, atol=1e-5)  # along the axes once they are turned: they are not yet
    assert (np.abs(room.normals).max(1) < 0.99).any()


def test_the_frame_is_that_of_the_alignment(tmp_path):
    write_scan(tmp_path, NAME)
    room, _ = read(tmp_path)
    np.testing.assert_allclose(room.alignment, TURNED, atol=1e-6)
    raw = (room.points - TURNED[:3, 3]) @ TURNED[:3, :3]
    np.testing.assert_allclose(room.raw_center, (raw.min(0) + raw.max(0)) / 2, atol=1e-5)


def test_a_scan_without_alignment_is_taken_as_it_lies(tmp_path):
    write_scan(tmp_path, NAME, alignment=None)
    room, facts = read(tmp_path)
    assert not facts.aligned
    np.testing.assert_array_equal(room.alignment, np.eye(4))
    np.testing.assert_allclose(room.boxes, expected(1, 2, 3, 5), atol=2e-6)


def test_a_test_scan_has_no_objects(tmp_path):
    files = ScanFiles(tmp_path, NAME)
    write_scan(tmp_path, NAME)
    files.objects.unlink()
    with pytest.raises(DataError, match=r"scene0000_00.aggregation.json is missing"):
        read(tmp_path)
    files.segments.unlink()
    room, facts = read(tmp_path)
    assert not facts.annotated
    assert room.boxes.shape == (0, 6)
    assert (room.instances == -1).all()


def test_three_points_are_no_scan(tmp_path):
    write_scan(tmp_path, NAME)
    write_ply(ScanFiles(tmp_path, NAME).mesh, np.eye(3), np.zeros((3, 3), int), [[0, 1, 2]])
    with pytest.raises(DataError, match=r"vh_clean_2.ply has 3 vertices, a scan has at least 64"):
        read(tmp_path)


def test_files_of_different_scans_are_told_apart(tmp_path):
    files = ScanFiles(tmp_path, NAME)
    write_scan(tmp_path, NAME)
    segments = json.loads(files.segments.read_text())["segIndices"]
    files.segments.write_text(json.dumps({"segIndices": segments[1:]}))
    with pytest.raises(DataError, match=r"has segments of 323 vertices, scene0000_00_vh_clean_2.ply has 324"):
        read(tmp_path)
    files.segments.write_text(json.dumps({"segIndices": [0] * len(segments)}))
    with pytest.raises(DataError, match="object 0 has the segment 1, which no vertex has; get both again"):
        read(tmp_path)


def test_the_last_of_several_objects_has_a_segment_that_all_of_them_claim():
    objects = [Annotated(7, "a", (3, 4)), Annotated(2, "b", (4,)), Annotated(5, "c", ())]
    assert owners(objects, np.array([3, 4, 9, 4])).tolist() == [0, 1, -1, 1]


def write(path, text):
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"segGroups": [{"objectId": 1, "label": "a", "segments": []}, {"objectId": 1, "label": "", "segments": []}]}',
         "objectId 1 occurs twice"),
        ('{"segGroups": [{"objectId": -1, "label": "a", "segments": []}]}', r"segGroups\[0\].objectId is -1"),
        ('{"segGroups": [{"objectId": 1, "segments": []}]}', r"it lacks segGroups\[0\].label"),
        ('{"segGroups": 3}', "no list of mappings called segGroups"),
    ],
)  # fmt: skip
def test_annotations_that_cannot_be_meant_are_named(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_aggregation(write(tmp_path / "a.aggregation.json", content))


def test_segments_are_whole_numbers(tmp_path):
    assert read_segments(write(tmp_path / "segs.json", '{"segIndices": [4, 4, 1]}')).tolist() == [4, 4, 1]
    with pytest.raises(DataError, match="segIndices is a list of 2, not a list of whole numbers"):
        read_segments(write(tmp_path / "segs.json", '{"segIndices": [4, 0.5]}'))


@pytest.mark.parametrize(
    "numbers",
    ["1 2 3", "2 0 0 0 0 2 0 0 0 0 2 0 0 0 0 1", "1 0 0 0 0 1 0 0 0 0 -1 0 0 0 0 1",
     "1 0 0 nan 0 1 0 0 0 0 1 0 0 0 0 1", "1 0 0 0 0 1 0 0 0 0 1 0 0 0 1 1"],
)  # fmt: skip
def test_an_alignment_is_a_motion(tmp_path, numbers):
    with pytest.raises(DataError, match=r"scan.txt is cut off, damaged .* \(axisAlignment"):
        read_alignment(write(tmp_path / "scan.txt", f"axisAlignment = {numbers}\n"))


def test_a_label_table_says_what_words_mean(tmp_path):
    table = "id\traw_category\tnyu40id\tnyu40class\n1\twall\t1\twall\n2\tgizmo\t7\ttable\n"
    labels = read_label_map(write(tmp_path / "labels.tsv", table))
    assert [labels[word] for word in ("wall", "gizmo", "gizmos", "Wall")] == [1, 7, None, None]
    for bad, message in (
        (table.replace("nyu40id", "nyu"), "it has no column nyu40id"),
        (table.replace("\t7\t", "\t41\t"), "line 3 maps 'gizmo' to 41; classes are 1 to 40"),
        (table.replace("\t7\t", "\tseven\t"), "line 3 maps 'gizmo' to 'seven'"),
        (table.partition("\n")[0], "it has no row"),
    ):
        with pytest.raises(DataError, match=message):
            read_label_map(write(tmp_path / "labels.tsv", bad))


def test_the_built_in_list_knows_the_forty_names_and_their_plurals():
    labels = built_in()
    assert len(NYU40) == 40
    assert [labels[name] for name in NYU40] == list(range(1, 41))
    words = {"chairs": 5, "Office Chair": 5, "kitchen cabinets": 3, "tv": 25, "doors": 8, "trash can": 39, "object": 40}
    assert {word: labels[word] for word in words} == words
    assert labels["gizmo"] is None


def test_the_eighteen_classes_are_those_of_scanrefer():
    own = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 24, 28, 33, 34, 36]
    assert [detection_class(number) for number in own] == list(range(17))
    objects = [number for number in range(1, 41) if is_object(number)]
    assert objects == [number for number in range(3, 41) if number != 22]
    assert {detection_class(number) for number in objects if number not in own} == {17}


def test_image_features_go_with_the_vertices(tmp_path):
    write_scan(tmp_path, NAME)
    path = tmp_path / "features.h5"
    with h5py.File(path, "w") as file:
        file[NAME] = np.arange(54 * len(ROOM), dtype=np.float32)[:, None] * np.ones((1, 128), np.float32)
    room, _ = read(tmp_path, multiview=path)
    rows = room.multiview[:, 0].astype(int)
    colors = np.repeat([thing.color for thing in ROOM], 54, axis=0)
    np.testing.assert_array_equal(room.colors, colors[rows])
    with pytest.raises(DataError, match=r"its mesh has 5 vertices, so \(5, 128\) is wanted, a row for each"):
        read_multiview(path, NAME, 5)
    with pytest.raises(DataError, match="no dataset 'scene0001_00'"):
        read_multiview(path, "scene0001_00", 5)


def test_pickles_are_refused_in_words(tmp_path):
    (tmp_path / "enet.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(DataError, match="is a Python pickle, which runs what its writer put into it"):
        check_multiview(tmp_path / "enet.pkl")
    with pytest.raises(DataError, match="there is no file"):
        check_multiview(tmp_path / "enet.h5")


def test_a_flat_object_and_one_without_vertices(tmp_path):
    write_scan(tmp_path, NAME, (*ROOM, Thing("picture", (1.9, 0, 1.5), (0, 1, 1))))
    files = ScanFiles(tmp_path, NAME)
    content = json.loads(files.objects.read_text())
    content["segGroups"].append({"objectId": 99, "segments": [], "label": "chair"})
    files.objects.write_text(json.dumps(content))
    room, _ = read(tmp_path)
    assert room.ids.tolist() == [1, 2, 3, 5, 6]
    assert room.boxes[-1, 3] == pytest.approx(0, abs=1e-6)
