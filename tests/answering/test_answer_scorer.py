"""The command, from files to files."""

import csv
import json

import pytest
from answer_cases import TWELVE
from answer_files import scanqa_rows, write, write_sqa3d, write_twelve

from geo_lm4ve.files import from_json
from geo_lm4ve.parts.scorer import main, scorers

SLOW = ("--without", "METEOR", "SPICE", "F-value")


def command(predictions, data, protocol, *more):
    return main(["--predictions", str(predictions), "--data", str(data), "--protocol", protocol, *map(str, more)])


@pytest.fixture
def twelve(tmp_path):
    data, said = write_twelve(tmp_path)
    return data, said


def test_protocols_are_registered_with_their_data_sets():
    assert {
        "scanqa",
        "scanqa:official",
        "scanqa:leo",
        "scanqa:all",
        "sqa3d",
        "sqa3d:loose",
        "sqa3d:all",
    } <= scorers().keys()


def test_what_is_written_is_in_percent_with_all_circumstances(twelve, tmp_path, capsys):
    data, said = twelve
    assert command(said, data, "scanqa:leo", "--out", tmp_path / "s.json", *SLOW) == 0
    results = from_json((tmp_path / "s.json").read_text())
    assert results["metrics"]["EM@1"] == pytest.approx(100 * 7 / 12)
    assert results["metrics"]["CIDEr"] == pytest.approx(308.9661071, abs=1e-6)
    assert results["by_type"]["Object"] == {"samples": 12, **results["metrics"]}
    assert (results["protocol"], results["samples"], results["missing"]) == ("scanqa:leo", 12, 0)
    assert (results["tokeniser"], results["split_size"]) == ("blanks", 12)
    shown = capsys.readouterr().out
    for text in ("58.33", "308.97", "LEO, evaluator/scanqa_eval.py", "tokeniser: blanks", "12 of 12 questions scored"):
        assert text in shown


def test_missing_answers_are_wrong_and_named(twelve, tmp_path, capsys):
    data, _ = twelve
    said = write(tmp_path / "few.json", {"prompt": "One word.", "answers": {"val-scene-3": "brown table"}})
    assert command(said, data, "scanqa:vista", "--out", tmp_path / "s.json") == 0
    results = from_json((tmp_path / "s.json").read_text())
    assert results["metrics"] == {"EM@1": pytest.approx(100 / 12), "EM@10": pytest.approx(100 / 12)}
    assert (results["missing"], results["missing_ids"][0], results["prompt"]) == (11, "val-scene-0", "One word.")
    shown = capsys.readouterr().out
    assert "11 questions without an answer count as wrong" in shown
    assert "prompt: One word." in shown
    assert command(said, data, "scanqa:vista", "--answered-only", "--out", tmp_path / "s.json") == 0
    assert from_json((tmp_path / "s.json").read_text())["metrics"]["EM@1"] == 100


def test_all_protocols_share_one_table(tmp_path, capsys):
    data = write_sqa3d(tmp_path, [("What is left?", "desk"), ("Is it on?", "no")])
    said = write(tmp_path / "said.csv", "question_id,answer\n220602000000,the desk\n220602000001,no\n")
    assert command(said, data, "sqa3d:all", "--out", tmp_path / "s.json", *SLOW) == 0
    results = from_json((tmp_path / "s.json").read_text())
    assert results["protocol"] == "sqa3d:all"
    assert [one["metrics"].get("EM@1") for one in results["protocols"].values()] == [50, 100, None]
    assert list(results["protocols"]["sqa3d:exact"]["by_type"]) == ["what", "is"]
    assert "by every protocol" in capsys.readouterr().out


def test_every_question_can_be_looked_up(twelve, tmp_path):
    data, said = twelve
    for name in ("items.jsonl", "items.csv"):
        assert command(said, data, "scanqa:leo", "--items", tmp_path / name, *SLOW) == 0
    rows = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
    with (tmp_path / "items.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["prediction"] for row in rows] == [row["prediction"] for row in table] == [said for said, _ in TWELVE]
    assert [row["references"] for row in rows] == [json.loads(row["references"]) for row in table]
    assert rows[0] | {"scored_as": "brown", "right": True, "EM@1": 100, "EM@1_refined": 100} == rows[0]
    assert [row["right"] for row in rows] == [row["EM@1"] == 100 for row in rows]


def test_two_systems_are_compared_on_the_same_questions(twelve, tmp_path, capsys):
    data, said = twelve
    better = write(tmp_path / "better.json", {f"val-scene-{n}": right[0] for n, (_, right) in enumerate(TWELVE)})
    assert command(better, data, "scanqa:vista", "--against", said, "--out", tmp_path / "s.json") == 0
    difference = from_json((tmp_path / "s.json").read_text())["comparison"]["difference"]
    value = difference["all"]["metrics"]["EM@1"]
    assert value["one"] == 100
    assert value["difference"] == pytest.approx(1100 / 12)
    assert 50 < value["low"] < value["difference"] <= value["high"] <= 100
    assert difference["Object"] == difference["all"]
    assert "paired bootstrap, 1,000 samples" in capsys.readouterr().out
    assert command(said, data, "scanqa:vista", "--against", said, "--out", tmp_path / "s.json") == 0
    same = from_json((tmp_path / "s.json").read_text())["comparison"]["difference"]["all"]["metrics"]["EM@1"]
    assert (same["difference"], same["low"], same["high"]) == (0, 0, 0)


def test_a_test_split_is_written_not_scored(tmp_path, capsys):
    rows = [{key: row[key] for key in ("scene_id", "question_id", "question")} for row in scanqa_rows([["a"], ["b"]])]
    data = write(tmp_path / "ScanQA_v1.0_test_w_obj.json", rows)
    box = [[x, y, z] for x in (0, 1) for y in (0, 2) for z in (0, 3)]
    said = write(tmp_path / "a.json", [
        {"question_id": "val-scene-1", "answer": ["brown", "black"], "bbox": box},
        {"question_id": "val-scene-0", "answer": "2"},
    ])  # fmt: skip
    assert command(said, data, "scanqa", "--submission", tmp_path / "pred.test_w_obj.json") == 0
    first, second = json.loads((tmp_path / "pred.test_w_obj.json").read_text())
    assert first == {"scene_id": "scene0000_00", "question_id": "val-scene-0", "answer_top10": ["2"] * 10, "bbox": []}
    assert second["answer_top10"] == ["brown"] + ["black"] * 9
    assert sorted(second["bbox"]) == sorted(box)
    assert "nothing is scored" in capsys.readouterr().out
    assert command(said, data, "scanqa") == 1
    assert "has no answers (a test split?)" in capsys.readouterr().err
    few = write(tmp_path / "few.json", {"val-scene-0": "2"})
    assert command(few, data, "scanqa", "--submission", tmp_path / "other.json") == 1
    assert "1 of 2 questions have no answer" in capsys.readouterr().err
    assert not (tmp_path / "other.json").exists()


def test_boxes_are_scored_where_the_objects_are_known(tmp_path):
    data = write(tmp_path / "val.json", scanqa_rows([["a"], ["b"]]))
    places = {"scene0000_00": {"locs": [[0, 0, 0, 2, 2, 2]]}, "scene0001_00": {"locs": [[0] * 6, [0, 0, 0, 2, 2, 2]]}}
    cube = [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    shifted = [[x + 1, y, z] for x, y, z in cube]
    said = write(tmp_path / "a.json", [
        {"question_id": "val-scene-0", "answer": "a", "bbox": cube},
        {"question_id": "val-scene-1", "answer": "b", "bbox": shifted},
    ])  # fmt: skip
    boxes, out = write(tmp_path / "boxes.json", places), tmp_path / "s.json"
    assert command(said, data, "scanqa", "--boxes", boxes, "--out", out, *SLOW) == 0
    metrics = from_json(out.read_text())["metrics"]
    assert (metrics["Acc@0.25"], metrics["Acc@0.5"]) == (100, 50)  # a third of the shifted one overlaps
    assert command(said, data, "scanqa", "--out", out, *SLOW) == 0
    assert "--boxes PLACE" in from_json(out.read_text())["unavailable"]["Acc@0.25"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--items", "x.txt"], "--items writes .jsonl or .csv, not 'x.txt'"),
        (["--answerable-only"], "--answerable-only needs the answers of training: --vocabulary FILE"),
        (["--protocol", "scanqa:all", "--items", "x.csv"], "--items is of one protocol"),
        (["--predictions", "baseline:majorty"], "majority"),
        (["--predictions", "baseline:majority"], "learns from another file: --train ANNOTATIONS.json"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_written(twelve, capsys, options, said):
    data, predictions = twelve
    assert command(predictions, data, "scanqa:vista", *options) == 1
    assert said in capsys.readouterr().err


def test_only_answerable_questions_count_when_asked(twelve, tmp_path):
    data, said = twelve
    words = write(tmp_path / "answer_vocab.json", {"brown table": 3, "table": 1, "black": 2})
    out = tmp_path / "s.json"
    assert command(said, data, "scanqa:vista", "--vocabulary", words, "--answerable-only", "--out", out) == 0
    results = from_json(out.read_text())
    assert (results["samples"], results["split_size"], results["metrics"]["EM@1"]) == (2, 12, 50)


def test_boxes_are_compared_with_a_system_that_has_them(tmp_path):
    rows = scanqa_rows([["brown"], ["two"]])
    corners = [[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    boxed = [{"question_id": row["question_id"], "answer": "brown", "bbox": corners} for row in rows]
    data, one = write(tmp_path / "val.json", rows), write(tmp_path / "one.json", boxed)
    other = write(tmp_path / "other.json", [{**row, "bbox": [[x + 5, y, z] for x, y, z in corners]} for row in boxed])
    scans = {row["scene_id"]: {"locs": [[0.5, 0.5, 0.5, 1, 1, 1]] * 2} for row in rows}
    boxes = write(tmp_path / "boxes.json", scans)
    more = ("--boxes", boxes, "--against", other, "--out", tmp_path / "s.json", *SLOW)
    assert command(one, data, "scanqa", *more) == 0
    compared = from_json((tmp_path / "s.json").read_text())["comparison"]["difference"]["all"]["metrics"]
    assert (compared["Acc@0.5"]["difference"], compared["EM@1"]["difference"]) == (100, 0)
