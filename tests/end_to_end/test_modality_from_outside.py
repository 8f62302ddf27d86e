"""A package outside the repository brings a whole modality, a data set and an encoder: every command knows it."""

import json
import os
import subprocess
import sys

import pytest
from small_runs import ROOT, command

OUTSIDE = ROOT / "tests" / "outside"


@pytest.fixture
def installed(monkeypatch):
    """The plugin among the installed packages."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(OUTSIDE), str(ROOT), os.environ.get("PYTHONPATH", "")]))


@pytest.mark.slow
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


def test_a_plugin_that_cannot_be_imported_is_named(tmp_path):
    (tmp_path / "torn.py").write_text("import no_such_package\n")
    about = tmp_path / "torn-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: torn\nVersion: 0\n")
    (about / "entry_points.txt").write_text("[geo_lm4ve.plugins]\ntorn = torn\n")
    code = "from geo_lm4ve.config import registered; registered('data')"
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert "UserError: plugin 'torn' of torn (torn) cannot be imported: ModuleNotFoundError" in done.stderr
    assert "mend it or uninstall it" in done.stderr
