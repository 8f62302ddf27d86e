import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from small_runs import command, experiment, tool, write_folder

from geo_lm4ve import cli
from geo_lm4ve.compare.comparison import compare
from geo_lm4ve.compare.output import to_markdown
from geo_lm4ve.compare.runs import Collection, Run, collect
from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.evaluate import evaluate
from geo_lm4ve.engine.provenance import said, trained_on
from geo_lm4ve.engine.redraw import redraw
from geo_lm4ve.engine.train import train
from geo_lm4ve.engine.trainer import Trainer, TrainingError
from geo_lm4ve.engine.weights import build_experiment_model
from geo_lm4ve.parts.run import SelectOn
from geo_lm4ve.pretrained import to_official
from geo_lm4ve.run_files import TRAINING, RunError

HOME, OTHER = (f"point clouds of {name} (4 classes, 128 points)" for name in ("data", "other"))
BOTH = f"trained on {HOME}, scored on {OTHER}"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """An experiment, its run folder and a second data set, of six test clouds per class."""
    root = tmp_path_factory.mktemp("provenance")
    small = experiment(root, run={"pictures": True})
    train(small)
    (run,) = (root / "runs" / "small").iterdir()
    return small, run, write_folder(root / "other", test=6)


@pytest.fixture
def elsewhere(trained):
    """The same experiment as the command line makes it of the run folder and ``data.root=other``."""
    _, run, other = trained
    return cli.load(run, [f"data.root={other}"])[0]


def newest(run: Path) -> Path:
    return max((run / "evaluations" / "small").iterdir(), key=lambda path: path.stat().st_mtime_ns)


def old(run: Path, copy: Path) -> Path:
    """The run as it was written before checkpoints said what they were trained on."""
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns(TRAINING, "evaluations"))
    results = json.loads((copy / "results.json").read_text())
    del results["trained_on"], results["data_root"]
    (copy / "results.json").write_text(json.dumps(results))
    return copy


def test_a_checkpoint_says_what_it_was_trained_on(trained):
    small, run, _ = trained
    for name in ("best", "last"):
        record = json.loads((run / "checkpoints" / name / TRAINING).read_text())
        assert (record["data"], record["data_root"]) == (HOME, str(Path(small.data.root).resolve()))
        assert record["counts"] == {"train": 24, "val": 8, "test": 20}
        assert (record["seed"], record["synthetic"]) == (0, False)
        assert record["commit"]
    assert record["epoch"] == 3
    results = json.loads((run / "results.json").read_text())
    assert results["trained_on"] == trained_on(run)
    assert f"<h1>small · mlp · {HOME}</h1>" in (run / "report.html").read_text()


def test_scored_on_other_data_both_facts_are_said(trained, elsewhere, capsys):
    small, run, other = trained
    results = evaluate(elsewhere, run)
    folder = newest(run)
    assert (results["data"], results["data_root"], results["samples"]) == (OTHER, str(other.resolve()), 24)
    assert results["trained_on"]["data"] == HOME
    assert results["trained_on"]["data_root"] == str(Path(small.data.root).resolve())
    assert json.loads((folder / "results.json").read_text()) == results
    assert f"<h1>small · mlp · {BOTH}</h1>" in (folder / "report.html").read_text()
    assert BOTH in capsys.readouterr().out
    assert BOTH in (folder / "config.yaml").read_text().split("defaults:")[0]
    redraw(elsewhere, folder, folder / "again")
    assert BOTH in (folder / "again" / "report.html").read_text()
    assert evaluate(small, run)["data"] == HOME
    assert f"<h1>small · mlp · {HOME}</h1>" in (newest(run) / "report.html").read_text()


def test_the_config_of_an_evaluation_repeats_it(trained, elsewhere, capsys):
    _, run, _ = trained
    elsewhere.run.pictures = False
    results = evaluate(elsewhere, run)
    again = evaluate(*cli.load(newest(run)))
    for key in ("metrics", "data", "data_root", "trained_on", "samples"):
        assert again[key] == results[key]
    assert again["protocol"]["checkpoint"] == results["protocol"]["checkpoint"]


def test_data_of_one_name_are_told_apart_by_place_or_counts(trained, tmp_path):
    small, run, _ = trained
    twin = cli.load(run, [f"data.root={write_folder(tmp_path / 'data')}", "run.pictures=false"])[0]
    told = said(evaluate(twin, run))
    assert told == f"trained on {HOME} in {small.data.root}, scored on {HOME} in {tmp_path / 'data'}"
    limited = cli.load(run, ["data.val_fraction=0", "run.pictures=false"])[0]
    told = said(evaluate(limited, run))
    assert told == f"trained on {HOME} (24 train, 8 val, 20 test), scored on {HOME} (32 train, 20 test)"


def test_the_comparison_tells_runs_by_training_data_and_flags_them(trained, elsewhere, tmp_path):
    _, run, other = trained
    elsewhere.run.pictures = False
    evaluate(elsewhere, run)
    there = experiment(tmp_path, data={"root": str(other)})
    train(there)
    (second,) = (tmp_path / "runs" / "small").iterdir()
    evaluate(there, second)
    found = [Run(path, json.loads((path / "results.json").read_text())) for path in (newest(run), newest(second))]
    comparison = compare(Collection(found, [], {}))
    assert comparison.by == ("trained_on.data",)
    assert [row.key for row in comparison.rows] == [(HOME,), (OTHER,)]
    flagged = f"the runs differ in trained_on.data: {HOME} ({HOME}); {OTHER} ({OTHER})"
    assert flagged in comparison.warnings
    assert f"| {HOME} | 1 |" in to_markdown(comparison)
    by_block = compare(Collection(found, [], {}), by=["block"])
    assert any(text.endswith("but differs in trained_on.data, trained_on.root") for text in by_block.warnings)
    homes = compare(Collection([found[0], Run(run, json.loads((run / "results.json").read_text()))], [], {}))
    assert any(text.startswith(f"the runs differ in data: {OTHER}") for text in homes.warnings)
    assert not any("trained_on.data" in text for text in homes.warnings)


def test_an_old_run_is_known_by_its_results_or_its_config(trained, elsewhere, tmp_path):
    small, run, _ = trained
    before = old(run, tmp_path / "runs" / "old")
    elsewhere.run.pictures = False
    results = evaluate(elsewhere, before)
    assert said(results) == BOTH
    assert results["trained_on"]["data_root"] == str(Path(small.data.root).resolve())
    assert said(evaluate(cli.load(before, ["run.pictures=false"])[0], before)) == HOME
    (before / "results.json").unlink()
    assert said(evaluate(elsewhere, before)) == f"trained on data=point_folder in {small.data.root}, scored on {OTHER}"
    assert said(evaluate(cli.load(before, ["run.pictures=false"])[0], before)) == HOME
    alone = shutil.copytree(before / "checkpoints" / "best", tmp_path / "alone")
    assert trained_on(alone) == {"data": None, "note": "training data not recorded"}
    (before / "config.yaml").write_text("data: [")
    with pytest.raises(ConfigError, match=r"config\.yaml is cut off, damaged"):
        trained_on(before)


def test_old_results_are_drawn_and_compared(trained, tmp_path):
    small, run, _ = trained
    before = old(run, tmp_path / "runs" / "old")
    redraw(small, before, before / "again")
    assert f"<h1>small · mlp · {HOME}</h1>" in (before / "again" / "report.html").read_text()
    (written,) = collect(before).runs
    assert written.settings["trained_on.data"] == HOME
    found = [written, Run(run, {**json.loads((run / "results.json").read_text()), "seed": 1})]
    comparison = compare(Collection(found, [], {}))
    assert len(comparison.rows) == 1
    assert not any("trained_on" in text for text in comparison.warnings)


def test_a_damaged_record_is_named(trained, tmp_path):
    _, run, _ = trained
    copy = shutil.copytree(run / "checkpoints" / "best", tmp_path / "best")
    for text in ("{", "[]", '{"seed": 0}'):
        (copy / TRAINING).write_text(text)
        with pytest.raises(RunError, match=rf"{re.escape(str(copy))}/training\.json .*train again"):
            trained_on(copy)


def test_official_files_and_models_without_weights_say_so(tmp_path, capsys):
    plain = experiment(tmp_path, block=("identity", {}))
    torch.save({"base_model": to_official(build_experiment_model(plain, 4)), "epoch": 3}, tmp_path / "official.pth")
    plain.run.checkpoint = str(tmp_path / "official.pth")
    assert said(evaluate(plain)) == f"trained elsewhere: official.pth, scored on {HOME}"
    assert f"trained elsewhere: official.pth, scored on {HOME}" in capsys.readouterr().out
    baseline = {"data": HOME, "trained_on": trained_on(None)}
    assert said(baseline) == f"nothing to train, scored on {HOME}"
    plain.run.checkpoint, plain.run.init_from = None, str(tmp_path / "official.pth")
    started = train(plain)["trained_on"]["started_from"]
    assert started == {"checkpoint": plain.run.init_from, "data": None, "note": "trained elsewhere: official.pth"}


def test_a_run_that_goes_on_with_other_data_says_both(trained, tmp_path, monkeypatch):
    small, _, other = trained
    end_step = Trainer.end_step

    def die(self):
        stop = end_step(self)
        if self.position.epoch == 1:
            raise InterruptedError
        return stop

    monkeypatch.setattr(Trainer, "end_step", die)
    moved = experiment(tmp_path, data={"root": small.data.root})
    with pytest.raises(TrainingError):
        train(moved)
    monkeypatch.undo()
    (run,) = (tmp_path / "runs" / "small").iterdir()
    moved.data.root = str(other)
    moved.run.select_on = SelectOn.last
    results = train(moved, run)
    assert json.loads((run / "checkpoints" / "best" / TRAINING).read_text())["data"] == HOME
    assert [past["data"] for past in results["trained_on"]["earlier"]] == [HOME]
    assert said(results) == f"trained on {HOME}, then {OTHER}, scored on {OTHER}"
    assert trained_on(run)["earlier"] == results["trained_on"]["earlier"]


@pytest.mark.slow
def test_the_commands_say_both(trained, capsys):
    _, run, other = trained
    scored = command("tools/evaluate.py", run, f"data.root={other}", "run.pictures=false")
    assert scored.returncode == 0, scored.stderr
    assert BOTH in scored.stdout
    code, shown, _ = tool(capsys, "report", run / "evaluations")
    assert code == 0
    assert f"trained_on.data: {HOME}" in shown
