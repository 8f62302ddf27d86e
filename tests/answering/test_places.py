"""SQA3D's localisation track, from files to files."""

from __future__ import annotations

import csv
import json

import pytest
from answer_files import pose_fields, write, write_sqa3d

from geo_lm4ve.answering.files.poses import GUESSES
from geo_lm4ve.files import from_json
from geo_lm4ve.parts.scorer import main

IDS = [str(220602000000 + n) for n in range(4)]


@pytest.fixture
def data(tmp_path):
    return write_sqa3d(
        tmp_path, [("What is left?", "desk"), ("Is it on?", "no"), ("What is it?", "a"), ("Can I?", "b")]
    )


def run(said, data, *more):
    return main(["--predictions", str(said), "--data", str(data), "--protocol", "sqa3d:localisation", *map(str, more)])


def test_places_and_turns_are_scored_by_type(data, tmp_path, capsys):
    exact, near = pose_fields(x=0), pose_fields(x=1.7, degrees=20)  # 0.7 m and 20 degrees from question 1's
    several = {"poses": [pose_fields(x=9, degrees=170), pose_fields(x=2, degrees=90), pose_fields(y=8, degrees=-10)]}
    said = write(tmp_path / "said.json", {IDS[0]: exact, IDS[1]: near, IDS[2]: several})
    assert run(said, data, "--out", tmp_path / "s.json", "--items", tmp_path / "i.csv") == 0
    results = from_json((tmp_path / "s.json").read_text())
    assert results["metrics"] == {"Acc@0.5m": 50, "Acc@1m": 75, "Acc@15°": 50, "Acc@30°": 75}
    assert results["by_type"]["what"] == {"samples": 2, "Acc@0.5m": 100, "Acc@1m": 100, "Acc@15°": 100, "Acc@30°": 100}
    assert (results["protocol"], results["missing"], results["samples"]) == ("sqa3d:localisation", 1, 4)
    rows = list(csv.DictReader((tmp_path / "i.csv").read_text().splitlines()))
    assert rows[1]["prediction"] == "(1.70 m, 0.00 m), 20°"
    assert json.loads(rows[1]["references"]) == ["(1.00 m, 0.00 m), 0°"]
    assert "1 questions without an answer count as wrong" in capsys.readouterr().out


def test_lists_are_poses_too_and_answers_beside_them_stay_out(data, tmp_path):
    rows = [{"question_id": key, "answer": "no", "position": [n, 0, 0], "rotation": [0, 0, 0, 1]} for n, key in
            enumerate(IDS)]  # fmt: skip
    said = write(tmp_path / "said.json", rows)
    assert run(said, data, "--out", tmp_path / "s.json") == 0
    assert set(from_json((tmp_path / "s.json").read_text())["metrics"].values()) == {100}
    answers = ["--predictions", said, "--data", data, "--protocol", "sqa3d", "--out", tmp_path / "a.json"]
    assert main(list(map(str, answers))) == 0
    assert from_json((tmp_path / "a.json").read_text())["metrics"]["EM@1"] == 25


def test_two_systems_are_compared_by_place(data, tmp_path):
    right = write(tmp_path / "right.json", {key: pose_fields(x=n) for n, key in enumerate(IDS)})
    wrong = write(tmp_path / "wrong.json", {key: pose_fields(x=n + 5) for n, key in enumerate(IDS)})
    assert run(right, data, "--against", wrong, "--out", tmp_path / "s.json") == 0
    compared = from_json((tmp_path / "s.json").read_text())["comparison"]["difference"]["all"]["metrics"]
    assert (compared["Acc@0.5m"]["difference"], compared["Acc@15°"]["difference"]) == (100, 0)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"position": [1, 2, 3]}, "it lacks row 0: rotation"),
        ({**pose_fields(), "position": [1, 2]}, "row 0: position is [1, 2], not x, y, z"),
        ({**pose_fields(), "position": [1, 2, None]}, "row 0: position.z is None, not a finite number"),
        ({**pose_fields(), "rotation": [0, 0, 0, 0]}, "row 0: rotation is the quaternion 0"),
        ({**pose_fields(), "rotation": {"_x": 0, "_y": 0, "_z": 0, "w2": 1}}, "it lacks row 0: rotation.w"),
        ({"poses": [pose_fields()] * (GUESSES + 1)}, "row 0: poses has 4 guesses; the track allows 3"),
        ({"poses": []}, "row 0: poses is no list of mappings with position and rotation"),
        ({"poses": [{}]}, "row 0: poses[0] has neither position nor rotation"),
        ({"answer": "left"}, "has no poses: give each question position and rotation"),
    ],
)
def test_what_is_no_pose_is_named(data, tmp_path, capsys, row, said):
    path = write(tmp_path / "said.json", [{"question_id": IDS[0], **row}])
    assert run(path, data, "--out", tmp_path / "s.json") == 1
    assert said in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "s.json").exists()


def test_annotations_without_poses_are_named(data, tmp_path, capsys):
    rows = json.loads(data.read_text())
    del rows["annotations"][0]["position"], rows["annotations"][0]["rotation"]
    write(data, rows)
    assert run(write(tmp_path / "said.json", {IDS[0]: pose_fields()}), data) == 1
    assert "has no position and rotation for 1 questions ('220602000003', ...)" in capsys.readouterr().err
