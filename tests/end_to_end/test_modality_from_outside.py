"""A package outside the repository brings a whole modality, a data set and an encoder: every command knows it."""

import json
import os

import pytest
from small_runs import ROOT, command

OUTSIDE = ROOT / "tests" / "outside"


@pytest.fixture
def installed(monkeypatch):
    """The plugin among the installed packages."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(OUTSIDE), str(ROOT), os.environ.get("PYTHONPATH", "")]))


def test_it_trains_and_is_scored_like_a_shipped_one(installed, tmp_path):
    done = command("tools/train.py", OUTSIDE / "tones.yaml", f"run.root={tmp_path}", "data.workers=2")
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "tones").iterdir()
    results = json.loads((run / "results.json").read_text())
    assert results["metrics"]["overall_accuracy"] == 1.0  # two pitches far apart
    assert (run / "report.html").is_file()
    scored = command("tools/evaluate.py", run)
    assert scored.returncode == 0, scored.stderr
    (again,) = run.glob("evaluations/*/*/results.json")
    assert json.loads(again.read_text())["metrics"] == results["metrics"]


def test_what_it_leaves_out_is_said(installed, tmp_path):
    done = command("tools/train.py", OUTSIDE / "tones.yaml", f"run.root={tmp_path}", "task.votes=3", "optim.epochs=1")
    assert done.returncode == 1
    assert "error: tones have no augmented views" in done.stderr
