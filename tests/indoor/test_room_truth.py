"""What a run knows of questions: targets, answers, poses; and what it says where it does not."""

import json

import numpy as np
import pytest
import torch
from room_sources import again, prepare, source, train, val
from scans import TURNED, Asking, write_all
from scipy.spatial.transform import Rotation

from geo_lm4ve.indoor.stored.folder import room_file
from geo_lm4ve.indoor.stored.room_file import read_room


@pytest.fixture(scope="module")
def scanqa(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("scanqa"), "scanqa")


@pytest.fixture(scope="module")
def sqa3d(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("sqa3d"), "sqa3d")


def test_the_target_is_the_first_object_that_the_question_is_about(scanqa):
    for batch in (*train(source("scanqa", scanqa)), *val(source("scanqa", scanqa))):
        for row, name in enumerate(batch.names):
            number = int(name.split("-")[1])
            wanted = 2 if name.startswith("val") else (1, 2, 5)[number % 3]
            assert batch.objects.ids[batch.room_of[row], batch.truth.target[row]] == wanted


def test_answers_are_worth_what_their_frequency_in_train_says(scanqa):
    data = source("scanqa", scanqa)
    assert data.info.classes == ("brown", "chair", "table")
    worth = {"brown": 0.9, "chair": 1.0, "table": 0.9}
    for batch in train(data):
        for row, name in enumerate(batch.names):
            answer = ("chair", "table", "brown")[int(name.split("-")[1]) % 3]
            wanted = [worth[answer] if one == answer else 0 for one in data.info.classes]
            assert batch.truth.answers[row].tolist() == pytest.approx(wanted)
    several = torch.cat([batch.truth.answers for batch in val(data)])
    torch.testing.assert_close(several, torch.tensor([[0, 1, 0], [0, 0, 0.9], [0, 0, 0]]))


def test_evaluation_keeps_questions_without_a_known_answer_and_training_says_that_it_does_not(scanqa, tmp_path, capsys):
    path = tmp_path / "answer_vocab.json"
    path.write_text('{"chair": 4, "blue": 2}')
    data = source("scanqa", scanqa, vocabulary=str(path))
    assert data.info.counts == {"train": 4, "val": 3}
    assert "train: 6 of 10 questions have no answer in the vocabulary, they are left out" in capsys.readouterr().err
    assert data.info.classes == ("blue", "chair")
    assert "4 of 10 train, 3 val" in data.info.title


def test_sqa3d_has_one_right_answer_and_a_class_for_all_others(tmp_path):
    folder = prepare(tmp_path, "sqa3d")
    data = source("sqa3d", folder)
    assert data.info.classes == ("brown", "chair", "table")
    assert torch.cat([batch.truth.answers for batch in val(data)]).tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    for odd in ("unknown", "u"):
        classes = {"table": 0, "chair": 1, odd: 2}
        (folder / "qa" / "answer_dict.json").write_text(
            json.dumps([classes, {str(n): one for one, n in classes.items()}])
        )
        again(folder, "sqa3d")
        known = source("sqa3d", folder)
        assert known.info.classes == tuple(sorted(classes))
        assert known.info.counts["train"] == 10
        answers = torch.cat([batch.truth.answers for batch in val(known)])
        assert answers[2].tolist() == [float(one == odd) for one in known.info.classes]


def test_poses_are_in_the_frame_of_the_points(sqa3d):
    data = source("sqa3d", sqa3d)
    assert data.info.poses
    room = read_room(room_file(sqa3d / "out", "scene0003_00"))
    batch = val(data)[0]
    assert batch.situations[0] == "I am at 0."
    assert batch.truth.posed.tolist() == [True, True]
    wanted = TURNED[:3, :3] @ (np.array([1, 2, 0]) + room.raw_center) + TURNED[:3, 3]
    np.testing.assert_allclose(batch.truth.poses[0, :3], wanted, atol=1e-5)
    turn = Rotation.from_quat(batch.truth.poses[0, 3:].numpy()).as_matrix()
    np.testing.assert_allclose(turn, TURNED[:3, :3], atol=1e-5)


def test_poses_move_with_their_rooms(sqa3d):
    """Whoever stands at an object still does, however the room was moved."""
    moved, still = source("sqa3d", sqa3d), source("sqa3d", sqa3d, flip=0.0, rotate=0.0, shift=0.0)
    for one, other in zip(train(moved), train(still), strict=True):
        for row, about in enumerate(one.room_of):
            for axis in ((0, 0, 0), (-0.5, 0, 0), (0, 0, 0.7)):
                here = standing(one.truth.poses[row], axis)[None] - one.points[about].double()
                there = standing(other.truth.poses[row], axis)[None] - other.points[about].double()
                torch.testing.assert_close(here.norm(dim=1), there.norm(dim=1), atol=2e-5, rtol=1e-5)


def standing(pose, axis):
    turn = torch.from_numpy(Rotation.from_quat(pose[3:].double().numpy()).as_matrix())
    return pose[:3].double() + turn @ torch.tensor(axis, dtype=torch.float64)


def test_placeholders_of_poses_are_told_from_poses(tmp_path, capsys):
    qa, _ = write_all(tmp_path, "sqa3d")
    for split in ("train", "val"):
        Asking().ask("scene0000_00", ["chair"]).ask("scene0001_00", ["table"]).sqa3d(qa, split)
    again(tmp_path, "sqa3d")
    data = source("sqa3d", tmp_path)
    assert not data.info.poses
    assert "SQA3D: poses are placeholders (the origin, no turn)" in capsys.readouterr().err
    assert not val(data)[0].truth.posed.any()
    assert val(data)[0].truth.target.tolist() == [-1, -1]


def test_questions_without_objects_have_no_target_and_it_is_said(tmp_path, capsys):
    qa, _ = write_all(tmp_path)
    for split in ("train", "val"):
        Asking().ask("scene0000_00", ["chair"]).ask("scene0001_00", ["table"]).scanqa(qa, split)
    again(tmp_path, "scanqa")
    data = source("scanqa", tmp_path)
    assert not data.info.targets
    assert "ScanQA: no localisation targets: Acc@IoU and the reference loss are off" in capsys.readouterr().err
    assert val(data)[0].truth.target.tolist() == [-1, -1]


def test_answers_that_are_withheld_leave_no_truth(tmp_path):
    qa, _ = write_all(tmp_path)
    rows = [{"scene_id": "scene0003_00", "question_id": "test-0", "question": "What is it?"}]
    (qa / "ScanQA_v1.0_test_w_obj.json").write_text(json.dumps(rows))
    again(tmp_path, "scanqa")
    data = source("scanqa", tmp_path)
    assert data.info.counts["test_w_obj"] == 1
    (batch,) = data.loader("test_w_obj", batch_size=4, train=False, seed=0).batches()
    assert batch.truth is None
    assert batch.questions == ("What is it?",)
