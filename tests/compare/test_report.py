import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from geo_lm4ve.compare.comparison import compare, differing_keys
from geo_lm4ve.compare.output import (
    all_warnings,
    print_comparison,
    to_csv,
    to_json,
    to_markdown,
    write_comparison,
)
from geo_lm4ve.compare.runs import ReportError, Run, collect

TOOL = Path(__file__).resolve().parents[2] / "tools" / "report.py"


class Runs:
    """Writes run folders as the engine does."""

    def __init__(self, root):
        self.root, self.count = root, 0

    def add(self, block="identity", seed=0, accuracy=0.5, *, config=None, finished=True, **changes):
        self.count += 1
        folder = self.root / "exp" / f"20261124-{self.count:06d}-{seed}"
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text("name: exp\n")
        content = {
            "experiment": "exp",
            "metrics": {"overall_accuracy": accuracy, "loss": 10 * accuracy},
            "protocol": {"split": "test", "select_on": "val", "epoch": self.count, "epochs": 20, "votes": 0},
            "samples": 580,
            "seed": seed,
            "commit": "abc",
            "block": block,
            "data": "shapes",
            "parameters": {"trainable": 1000, "frozen": 0 if block == "identity" else 5000},
            "wall_seconds": 1800.0,
            "device": "cpu",
            "choices": {"block": block, "encoder": "tiny"},
            "config": {"seed": seed, "block": {"source": f"package:{block}"}, "optim": {"lr": 0.1}, **(config or {})},
        }
        if finished:
            (folder / "results.json").write_text(json.dumps({**content, **changes}))
        return folder

    def compare(self, **options):
        return compare(collect(self.root), **options)


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path / "runs")


@pytest.fixture
def two_blocks(runs):
    for seed, (plain, llm) in enumerate([(0.60, 0.65), (0.62, 0.66), (0.64, 0.70)]):
        runs.add("smollm2", seed, llm)
        runs.add("identity", seed, plain)
    return runs


def test_rows_are_what_differs_cells_are_over_seeds(two_blocks):
    comparison = two_blocks.compare(baseline="identity", metrics=["overall_accuracy"])
    assert comparison.by == ("block",)
    assert [row.key for row in comparison.rows] == [("identity",), ("smollm2",)]
    cell = comparison.rows[1].cell("overall_accuracy")
    assert cell.values == {0: 0.65, 1: 0.66, 2: 0.70}
    assert cell.mean == pytest.approx(0.67)
    found = comparison.differences[("smollm2",), "overall_accuracy"]
    # Differences 0.05, 0.04, 0.06.
    assert (found.kind, found.value, found.error) == ("paired", pytest.approx(0.05), pytest.approx(0.01 / 3**0.5))
    assert comparison.warnings == []
    assert comparison.circumstances["training time"] == ["3.00 h in 6 runs"]
    assert "protocol.epoch" not in comparison.circumstances


def test_markdown_by_hand(two_blocks):
    text = to_markdown(two_blocks.compare(baseline="identity", metrics=["overall_accuracy"]))
    assert "| block | seeds | trainable | frozen | overall_accuracy |" in text
    assert "| identity | 3 | 1,000 | 0 | 0.6200 ± 0.0200 |" in text
    assert "| smollm2 | 3 | 1,000 | 5,000 | 0.6700 ± 0.0265 |" in text
    assert "| smollm2 | overall_accuracy | +0.0500 | 0.0058 | +0.0252 to +0.0748 | paired |" in text
    assert "- commit: abc" in text
    assert "- samples: 580" in text
    assert "- seeds: 0, 1, 2" in text
    assert "Warning" not in text


def test_csv_keeps_full_precision(two_blocks):
    text = to_csv(two_blocks.compare(baseline="identity"))
    rows = list(
        csv.DictReader(io.StringIO("".join(line for line in text.splitlines(True) if not line.startswith("#"))))
    )
    assert len(rows) == 4
    assert rows[0] | {"mean": 0, "std": 0} == {
        "block": "identity", "metric": "overall_accuracy", "mean": 0, "std": 0, "seeds": "3",
        "difference": "", "standard_error": "", "low95": "", "high95": "", "kind": "",
        "trainable": "1000", "frozen": "0",
    }  # fmt: skip
    assert float(rows[2]["mean"]) == (0.65 + 0.66 + 0.70) / 3
    assert float(rows[2]["difference"]) == pytest.approx(0.05)
    assert "# samples: 580" in text


def test_json_names_the_runs(two_blocks):
    content = json.loads(to_json(two_blocks.compare(baseline="identity")))
    row = content["rows"][1]
    assert row["key"] == {"block": "smollm2"}
    assert len(row["runs"]) == 3
    assert row["metrics"]["overall_accuracy"]["values"] == {"0": 0.65, "1": 0.66, "2": 0.70}
    assert row["metrics"]["overall_accuracy"]["difference"]["kind"] == "paired"


def test_terminal_shows_table_warnings_and_brackets(runs):
    runs.add("identity", commit="abc+dirty", data="shapes [small]")
    console = Console(width=160, record=True)
    print_comparison(runs.compare(), console)
    text = console.export_text()
    assert "0.5000" in text
    assert "±" not in text.replace("mean ± sample", "")
    assert "WARNING 1 of the runs used code with uncommitted changes" in text
    assert "shapes [small]" in text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"commit": "def"}, "differ in commit: abc (identity); def (mlp)"),
        ({"samples": 579}, "differ in samples: 580 (identity); 579 (mlp)"),
        ({"data": "other"}, "differ in data: shapes (identity); other (mlp)"),
        ({"device": "cuda"}, "differ in device: cpu (identity); cuda (mlp)"),
        ({"protocol": {"split": "val"}}, "differ in protocol.split: test (identity); val (mlp)"),
        ({"synthetic": True}, "differ in synthetic: not said (identity); true (mlp)"),
        ({"data_root": "/b"}, "differ in data_root: /a (identity); /b (mlp)"),
        ({"trained_on": {"data": "other"}}, "differ in trained_on.data: shapes (identity); other (mlp)"),
        ({"trained_on": {"data": "shapes", "data_root": "/b"}}, "trained_on.root: not said (identity); /b (mlp)"),
        (
            {"trained_on": {"data": None, "note": "trained elsewhere: x.pth"}},
            "shapes (identity); trained elsewhere: x.pth",
        ),
        ({"protocol": {"checkpoint": "runs/a"}}, "trained_on.data: shapes (identity); not recorded (mlp)"),
        ({"seed": 4}, "different seeds: identity: 0; mlp: 4"),
    ],
)
def test_what_makes_rows_incomparable_is_flagged(runs, change, expected):
    runs.add("identity", **({"data_root": "/a"} if "data_root" in change else {}))
    runs.add("mlp", **change)
    warnings = runs.compare(by=["block"]).warnings
    assert any(expected in text for text in warnings), warnings


def test_a_row_over_different_settings_is_flagged(runs):
    runs.add("identity", seed=0)
    runs.add("identity", seed=1, config={"optim": {"lr": 0.2}})
    assert runs.compare(by=["block"]).warnings == ["row identity averages over runs that differ in optim.lr"]
    assert runs.compare().by == ("optim.lr",)


def test_the_newest_run_of_a_seed_counts(runs):
    old = runs.add("identity", seed=0, accuracy=0.1)
    runs.add("identity", seed=0, accuracy=0.9)
    comparison = runs.compare()
    assert comparison.rows[0].cell("overall_accuracy").values == {0: 0.9}
    assert comparison.warnings == [f"a newer run of the same seed replaces {old}"]


def test_a_newer_run_that_is_another_one_is_flagged(runs):
    old = runs.add("identity", seed=0, trained_on={"data": "shapes"})
    runs.add("identity", seed=0, trained_on={"data": "other", "earlier": [{"data": "shapes"}]})
    (warning,) = runs.compare(by=["block"]).warnings
    assert warning == f"a newer run of the same seed replaces {old}, but differs in trained_on.data"
    assert [row.key for row in runs.compare().rows] == [("shapes",), ("shapes, then other",)]


def test_a_baseline_that_learns_nothing_goes_with_any_training_data(runs):
    runs.add("identity", trained_on={"data": None, "note": "nothing to train"})
    runs.add("mlp")
    assert runs.compare(by=["block"]).warnings == []


def test_a_metric_that_some_runs_lack_is_flagged(runs):
    runs.add("identity", seed=0)
    runs.add("identity", seed=1, metrics={"loss": 1.0})
    comparison = runs.compare()
    assert comparison.rows[0].cell("overall_accuracy").count == 1
    assert comparison.warnings == ["row identity: not every run has overall_accuracy"]


def test_unfinished_and_broken_runs_are_named(runs):
    runs.add("identity")
    unfinished = runs.add("identity", finished=False)
    broken, empty, text = (runs.add("mlp") for _ in range(3))
    (broken / "results.json").write_text('{"metrics": {"a"')
    (empty / "results.json").write_text("{}")
    (text / "results.json").write_text('{"metrics": {"a": "high"}}')
    comparison = runs.compare()
    warnings = " | ".join(all_warnings(comparison))
    assert f"unfinished runs are left out (1): {unfinished}" in warnings
    assert f"{broken} is left out: {broken}/results.json is cut off, damaged" in warnings
    assert '(there are no "metrics" in it); restore it, or train again' in warnings
    assert "(metric 'a' is 'high', not a number)" in warnings


def test_evaluations_inside_a_run_are_not_runs(runs):
    folder = runs.add("identity")
    inner = folder / "evaluations" / "exp" / "20261125-000000-0"
    inner.mkdir(parents=True)
    (inner / "results.json").write_text((folder / "results.json").read_text())
    assert [run.folder for run in collect(runs.root).runs] == [folder]
    assert [run.folder for run in collect(folder).runs] == [folder]
    assert [run.folder for run in collect(folder / "evaluations").runs] == [inner]


def test_a_file_with_nothing_but_metrics_is_one_row(tmp_path):
    (tmp_path / "results.json").write_text('{"metrics": {"m": 3}}')
    assert "| seeds | m |\n| --: | --: |\n| 1 | 3.000 |" in to_markdown(compare(collect(tmp_path)))


def test_absent_keys_are_absent(tmp_path):
    for name, value in (("a", 1.0), ("b", 2.0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_text(json.dumps({"experiment": name, "metrics": {"m": value}}))
    comparison = compare(collect(tmp_path), baseline="a")
    assert comparison.by == ("experiment",)
    assert comparison.differences[("b",), "m"].value == 1
    assert "| a | 1 | 1.000 |" in to_markdown(comparison)


def test_fewest_keys_labels_first():
    def run(block, encoder, rate, layer):
        choices = {"block": block, "encoder": encoder}
        return Run(Path(), {"choices": choices, "config": {"optim": {"lr": rate}, "block": {"layer": layer}}})

    same = [run("a", "x", 1, 3), run("b", "x", 1, 4)]
    assert differing_keys(same) == ("block",)
    assert differing_keys([*same, run("b", "y", 1, 4)]) == ("block", "encoder")
    assert differing_keys([*same, run("b", "x", 1, 5)]) == ("block", "block.layer")
    assert differing_keys([run("a", "x", 1, 3), run("a", "x", 2, 3)]) == ("optim.lr",)


def test_a_baseline_per_encoder(runs):
    for encoder, plain, llm in (("small", 0.5, 0.6), ("large", 0.7, 0.9)):
        for block, value in (("identity", plain), ("smollm2", llm)):
            runs.add(block, accuracy=value, choices={"block": block, "encoder": encoder})
    runs.add("smollm2", accuracy=0.4, choices={"block": "smollm2", "encoder": "other"})
    comparison = runs.compare(baseline="identity", metrics=["overall_accuracy"])
    assert comparison.by == ("block", "encoder")
    found = {key: round(value.value, 9) for (key, _), value in comparison.differences.items()}
    assert found == {("smollm2", "small"): 0.1, ("smollm2", "large"): 0.2}
    assert "no identity row to compare smollm2 other with" in comparison.warnings


def test_wrong_requests_list_what_there_is(runs):
    with pytest.raises(ReportError, match="no folder"):
        collect(runs.root)
    folder = runs.add("identity", finished=False)
    with pytest.raises(ReportError, match=f"no finished run; unfinished or broken: {folder}"):
        runs.compare()
    runs.add("identity")
    with pytest.raises(ReportError, match=r"unknown setting 'blok' .did you mean 'block'"):
        runs.compare(by=["blok"])
    with pytest.raises(ReportError, match=r"unknown metric 'accuracy'.*known: loss, overall_accuracy"):
        runs.compare(metrics=["accuracy"])
    with pytest.raises(ReportError, match="baseline 'mlp' is no row; rows by block: identity"):
        runs.compare(baseline="mlp")
    with pytest.raises(ReportError, match=r"one of \.md, \.csv, \.json"):
        write_comparison(runs.compare(), runs.root / "table.xlsx")


def test_the_tool_end_to_end(two_blocks, tmp_path):
    out = [tmp_path / f"t{suffix}" for suffix in (".md", ".csv", ".json")]
    command = [
        sys.executable,
        str(TOOL),
        str(two_blocks.root),
        "--by",
        "block",
        "--baseline",
        "identity",
        "--out",
        *out,
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "0.6700 ± 0.0265" in done.stdout
    assert all(path.stat().st_size > 100 for path in out)
    failed = subprocess.run([sys.executable, str(TOOL), str(tmp_path / "none")], capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: no folder")
