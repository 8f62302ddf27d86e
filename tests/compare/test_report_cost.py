"""Columns of parameters, FLOPs and latency beside the scores, in every format; old results go without."""

import csv
import json

import pytest

from geo_lm4ve.compare.comparison import compare
from geo_lm4ve.compare.output import to_csv, to_json, to_markdown
from geo_lm4ve.compare.runs import collect
from geo_lm4ve.costs import PARTS, Cost, Latency

PARAMETERS = {"identity": {"trainable": 1000, "frozen": 0}, "smollm2": {"trainable": 1200, "frozen": 5000}}


def cost(block, ms, threads=1):
    flops = {part: {"trainable": 5e8, "frozen": 0.0} for part in PARTS}
    flops["block"] = {"trainable": 0.0, "frozen": 3e9 if block == "smollm2" else 0.0}
    return Cost(flops, Latency(16, ms, 10), Latency(1, 4.0, 10), "cpu (x)", threads, 1, "float32").plain()


def write(root, block, seed, **more):
    folder = root / "exp" / f"{block}-{seed}"
    folder.mkdir(parents=True)
    content = {"metrics": {"accuracy": 0.5}, "seed": seed, "block": block, "parameters": PARAMETERS[block], **more}
    (folder / "results.json").write_text(json.dumps(content))


@pytest.fixture
def measured(tmp_path):
    for seed, ms in ((0, 1.5), (1, 2.5)):
        write(tmp_path, "smollm2", seed, cost=cost("smollm2", ms))
        write(tmp_path, "identity", seed, cost=cost("identity", 1.0))
    return compare(collect(tmp_path), baseline="identity")


def test_markdown_has_them_beside_the_scores(measured):
    text = to_markdown(measured)
    assert "| block | seeds | trainable | frozen | GFLOPs | frozen GFLOPs | ms | accuracy |" in text
    assert "| identity | 2 | 1,000 | 0 | 1.5 | 0 | 1 | 0.5000 ± 0.0000 |" in text
    assert "| smollm2 | 2 | 1,200 | 5,000 | 4.5 | 3 | 1.5 to 2.5 | 0.5000 ± 0.0000 |" in text
    assert "- cost: a forward pass on cpu (x), 1 thread(s), 1 process(es), float32, batches of 16; ms: median" in text
    assert "Warning" not in text


def test_csv_and_json_have_the_numbers(measured):
    lines = [line for line in to_csv(measured).splitlines() if not line.startswith("#")]
    first, second = csv.DictReader(lines)
    names = ("trainable", "frozen", "GFLOPs", "frozen GFLOPs", "ms")
    assert [first[name] for name in names] == ["1000", "0", "1.5", "0.0", "1.0"]
    assert [second[name] for name in names] == ["1200", "5000", "4.5", "3.0", "2.0"]
    row = json.loads(to_json(measured))["rows"][1]
    assert row["cost"]["ms"]["values"] == {"0": 1.5, "1": 2.5}
    assert row["cost"]["frozen"]["mean"] == 5000


def test_runs_of_before_it_was_measured_stand_beside_new_ones(tmp_path):
    write(tmp_path, "identity", 0)
    write(tmp_path, "smollm2", 0, cost=cost("smollm2", 1.5))
    comparison = compare(collect(tmp_path), baseline="identity")
    assert "| identity | 1 | 1,000 | 0 |  |  |  | 0.5000 |" in to_markdown(comparison)
    assert comparison.warnings == []
    assert "cost" not in comparison.rows[0].runs[0].settings
    old = json.loads(to_json(comparison))["rows"][0]
    assert old["cost"].keys() == {"trainable", "frozen"}


def test_old_runs_alone_have_no_new_columns(tmp_path):
    write(tmp_path, "identity", 0)
    assert "| block | seeds | trainable | frozen | accuracy |" in to_markdown(compare(collect(tmp_path)))


def test_times_under_other_conditions_are_flagged(tmp_path):
    write(tmp_path, "identity", 0, cost=cost("identity", 1.0))
    write(tmp_path, "smollm2", 0, cost=cost("smollm2", 1.0, threads=2))
    (warning,) = compare(collect(tmp_path)).warnings
    assert warning.startswith("ms were measured in different ways: cpu (x), 1 thread(s), ")
    assert "(identity); cpu (x), 2 thread(s), " in warning


def test_whether_it_was_measured_makes_no_other_experiment(tmp_path):
    for seed, on in ((0, True), (1, False)):
        write(tmp_path, "identity", seed, config={"run": {"cost": on}})
    assert len(compare(collect(tmp_path)).rows) == 1
