"""Files of answers to questions about rooms: what the evaluators of ScanQA and SQA3D make of them."""

import json

import numpy as np
import pytest
import torch
from room_answers import ROOM_OF, WORDS
from room_tasks import Rooms, build, many, scored
from scipy.spatial.transform import Rotation

from geo_lm4ve.files import from_json
from geo_lm4ve.indoor.ask.places import in_annotations
from geo_lm4ve.parts.scorer import main

TURN = Rotation.from_euler("z", 25, degrees=True)
CENTER = np.array([1.0, -2.0, 0.5])


class Placed(Rooms):
    """One that also knows how its scans lie: turned by 25 degrees and moved."""

    def frame(self, scan):
        alignment = np.eye(4)
        alignment[:3, :3], alignment[:3, 3] = TURN.as_matrix(), [3.0, 1.0, 0.25]
        return alignment, CENTER + int(scan[5:9])


def evaluated(tmp_path, predictions, data, protocol, *more):
    scores = tmp_path / "scores.json"
    arguments = ["--predictions", predictions, "--data", data, "--protocol", protocol, "--out", scores, *more]
    if protocol == "scanqa":
        arguments += ["--without", "METEOR", "SPICE", "F-value"]
    assert main([str(one) for one in arguments]) == 0
    return from_json(scores.read_text())["metrics"]


def write(path, value):
    path.write_text(json.dumps(value))
    return path


def asked(pairs):
    """Question by question: id, scan, right answers (some outside the vocabulary), target, pose."""
    for batch, _ in pairs:
        for row, name in enumerate(batch.names):
            right = [WORDS[answer] for answer in batch.truth.answers[row].nonzero().flatten().tolist()]
            yield (
                name, batch.scans[batch.room_of[row]], right or ["an answer of nobody"], int(batch.truth.target[row]),
                batch.truth.poses[row].double().tolist(),
            )  # fmt: skip


def results(split="val"):
    return {"protocol": {"split": split}}


def test_the_evaluator_of_scanqa_finds_the_same_scores(tmp_path):
    pairs = many(6)
    for batch, _ in pairs:
        batch.truth.target.clamp_(min=0)  # the annotations of ScanQA name an object for every question
    task = build()
    values, records = scored(task, *pairs)
    (path,) = task.files(tmp_path, results(), records)
    assert path.name == "pred.val.json"
    rows = [
        {"scene_id": scan, "question_id": name, "question": "Where?", "answers": right, "object_ids": [target],
         "object_names": ["chair"]}
        for name, scan, right, target, _ in asked(pairs)
    ]  # fmt: skip
    boxes = {scan: {"locs": own.tolist()} for batch, _ in pairs for scan, own in zip(batch.scans, batch.objects.boxes)}
    found = evaluated(
        tmp_path, path, write(tmp_path / "val.json", rows), "scanqa", "--boxes", write(tmp_path / "boxes.json", boxes)
    )
    for name, own in (("EM@1", "em_at_1"), ("EM@10", "em_at_10"), ("Acc@0.25", "acc_at_025"), ("Acc@0.5", "acc_at_05")):
        assert found[name] == pytest.approx(100 * values[own]), name
        assert 0 < found[name] < 100


def test_the_submission_has_the_official_layout(tmp_path):
    task = build()
    _, records = scored(task, *many(1))
    (path,) = task.files(tmp_path, results("test_w_obj"), records)
    assert path.name == "pred.test_w_obj.json"
    rows = json.loads(path.read_text())
    assert [list(row) for row in rows] == [["scene_id", "question_id", "answer_top10", "bbox"]] * len(ROOM_OF)
    assert {len(row["answer_top10"]) for row in rows} == {10}
    assert np.shape(rows[0]["bbox"]) == (8, 3)
    assert rows[1]["scene_id"] == "scene0000_00"


def standing(pairs):
    """Poses of askers on the floor, and guesses nearby, turned about z only."""
    generator = np.random.default_rng(0)
    for batch, answers in pairs:
        for poses in (batch.truth.poses, answers.poses):
            angles = generator.uniform(-25, 25, len(poses))
            poses[:, :2] = torch.from_numpy(generator.normal(0, 0.5, (len(poses), 2)))
            poses[:, 3:] = torch.from_numpy(Rotation.from_euler("z", angles[:, None], degrees=True).as_quat())
        answers.poses[:, 3:] *= -3  # a quaternion is a turn whatever its length and sign
        batch.truth.posed[:] = True


def test_the_evaluator_of_sqa3d_finds_the_same_scores(tmp_path):
    pairs = many(6)
    standing(pairs)
    task = build("sqa3d", Placed())
    values, records = scored(task, *pairs)
    (path,) = task.files(tmp_path, results(), records)
    annotations, questions = [], []
    for name, scan, right, _, pose in asked(pairs):
        own = in_annotations(pose, *Placed().frame(scan))
        rotation = dict(zip(("_x", "_y", "_z", "_w"), own[3:]))
        annotations.append(
            {"scene_id": scan, "question_id": name, "answers": [{"answer": one} for one in right],
             "position": dict(zip("xyz", own[:3])), "rotation": rotation}
        )  # fmt: skip
        questions.append({"scene_id": scan, "question_id": name, "question": "What?", "situation": "I stand."})
    write(tmp_path / "v1_balanced_questions_val_scannetv2.json", {"questions": questions})
    data = write(tmp_path / "v1_balanced_sqa_annotations_val_scannetv2.json", {"annotations": annotations})
    found = evaluated(tmp_path, path, data, "sqa3d")
    found |= evaluated(tmp_path, path, data, "sqa3d:localisation")
    pairs = {"EM@1": "em_at_1", "EM@10": "em_at_10", "Acc@0.5m": "acc_at_0.5m", "Acc@1m": "acc_at_1m"}
    for name, own in {**pairs, "Acc@15°": "acc_at_15deg", "Acc@30°": "acc_at_30deg"}.items():
        assert found[name] == pytest.approx(100 * values[own]), name
        assert 0 < found[name] < 100


def test_poses_are_left_out_where_nobody_knows_the_frame(tmp_path, capsys):
    task = build("sqa3d")
    _, records = scored(task, *many(1))
    (path,) = task.files(tmp_path, results(), records)
    assert list(json.loads(path.read_text())[0]) == ["question_id", "scene_id", "answer_top10"]
    said = "three rooms does not say how its scans lie in the annotations: predicted places are left out"
    assert said in "".join(capsys.readouterr())


def test_a_pose_goes_back_the_way_that_sqa3d_brings_it():
    alignment, center = Placed().frame("scene0007_00")
    position, turn = np.array([0.3, -1.0, 2.0]), Rotation.from_euler("xyz", [20, -40, 70], degrees=True)
    world = alignment[:3, :3] @ (position + center) + alignment[:3, 3]
    own = (Rotation.from_matrix(alignment[:3, :3]) * turn).as_quat()
    found = in_annotations([*world, *(5 * own)], alignment, center)
    assert found[:3] == pytest.approx(position)
    assert (Rotation.from_quat(found[3:]) * turn.inv()).magnitude() == pytest.approx(0, abs=1e-9)
