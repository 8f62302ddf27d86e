"""What an experiment and overrides name is imported before Hydra composes, and nothing besides."""

import os
import subprocess
import sys

import pytest
from small_runs import ROOT

from geo_lm4ve.cli import load
from geo_lm4ve.config import ConfigError, registered
from geo_lm4ve.options import CONFIGS

SHOWN = """
import sys
from pathlib import Path
from geo_lm4ve.config import GROUPS, is_registered
from geo_lm4ve.defaults import load_named
from geo_lm4ve.shipped import tables

load_named(Path(sys.argv[1]), sys.argv[2:])
print(*(f"{group}={name}" for group in GROUPS for name in tables()[group] if is_registered(group, name)))
"""
SHARED = {"bridge=linear", "optim=adamw", "run=default"}
CONTROLS = {"block=pretrained", "block=identity", "block=mlp", "block=permuted", "block=random"}
POINTS = {"data=synthetic_solids", "data=point_folder", "encoder=point_bert", "head=classification", "task=classify"}


def imported(path, *overrides):
    """The shipped parts that are registered in a new process after ``load_named``."""
    done = subprocess.run(
        [sys.executable, "-c", SHOWN, str(path), *overrides],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_an_experiment_imports_what_it_names():
    assert imported(CONFIGS / "quickstart.yaml") == SHARED | POINTS | {"block=pretrained"}


def test_overrides_and_sweeps_add_what_they_name(tmp_path):
    (tmp_path / "mine.yaml").write_text("defaults: [quickstart, override head: point_mae, _self_]\n")
    found = imported(tmp_path / "mine.yaml", "block=identity,mlp", "+data@data=modelnet40", "seed=0,1")
    assert {"data=modelnet40", *CONTROLS} <= found
    found = imported(CONFIGS / "quickstart.yaml", "block=glob(*)")
    assert {"data=argoverse1", "task=forecast", *CONTROLS} <= found


def test_a_saved_run_imports_its_own_parts(tmp_path):
    schemas = "".join(f"  - /schema/{part.replace('=', '/')}\n" for part in (*SHARED, *POINTS, "block=identity"))
    (tmp_path / "config.yaml").write_text(f"defaults:\n  - /schema/experiment\n{schemas}  - _self_\n")
    assert imported(tmp_path / "config.yaml") == SHARED | POINTS | CONTROLS


@pytest.fixture
def named(tmp_path):
    """An experiment that names a registered part which has no option file."""
    text = (CONFIGS / "quickstart.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace("optim: short", "optim: adamw"))
    return tmp_path / "mine.yaml"


def test_a_registered_part_needs_no_option_file(named):
    assert not (CONFIGS / "optim" / "adamw.yaml").exists()
    for experiment, _ in (load(named), load(CONFIGS / "quickstart.yaml", ["optim=adamw"])):
        assert isinstance(experiment.optim, registered("optim")["adamw"])
        assert experiment.choices["optim"] == "adamw"


def test_an_option_file_goes_over_a_registered_name(named):
    (named.parent / "optim").mkdir()
    file = named.parent / "optim" / "adamw.yaml"
    file.write_text("defaults: [/schema/optim/adamw, _self_]\nlr: 7\n")
    assert load(named)[0].optim.lr == 7
    file.unlink()
    assert load(named)[0].optim.lr != 7


def test_a_damaged_option_is_named(named):
    (named.parent / "optim").mkdir()
    (named.parent / "optim" / "adamw.yaml").write_text("epochs: [\n")
    with pytest.raises(ConfigError, match=r"optim/adamw\.yaml is .*not a YAML file of settings"):
        load(named)


def test_an_unknown_option_lists_those_there_are():
    with pytest.raises(ConfigError, match=r"encoder='point_brt' .did you mean 'point_bert'.*point_bert_tiny"):
        load(CONFIGS / "quickstart.yaml", ["encoder=point_brt"])
