"""Starting is free: what a command's help, and a run that announces itself, does not import."""

import os
import subprocess
import sys

import pytest
from small_runs import ROOT, write_folder

from geo_lm4ve.commands import COMMANDS, summary

HEAVY = {"torch", "torch_geometric", "transformers", "torchmetrics", "scipy.stats", "matplotlib", "accelerate", "numpy"}

LOADED = """
import sys
from geo_lm4ve.__main__ import main
try:
    main(sys.argv[1:])
finally:
    print("LOADED", *sys.modules)
"""


def started(*arguments):
    """Exit code, output and modules of ``geo-lm4ve ARGUMENTS`` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    shown, _, loaded = done.stdout.partition("LOADED")
    return done.returncode, shown + done.stderr, set(loaded.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_imports_nothing_heavy(name):
    code, shown, loaded = started(name, "--help")
    assert code == 0, shown
    assert not loaded & HEAVY
    assert "usage" in shown


def test_the_commands_are_listed_with_a_line_each():
    code, shown, loaded = started("--help")
    assert code == 0
    for name in COMMANDS:
        assert f"  {name:<14} {summary(name)}\n" in shown
    assert not loaded & HEAVY


def test_a_misspelt_command_is_answered_with_the_nearest():
    code, shown, _ = started("trian")
    assert code == 2
    assert shown.startswith("error: unknown command 'trian' (did you mean 'train'?); known: doctor, evaluate, ")


def test_an_underscore_is_a_dash():
    assert started("extract_block", "--help")[:2] == started("extract-block", "--help")[:2]


ANNOUNCED = """
import os, sys
from geo_lm4ve.__main__ import main

class Watched:
    def __init__(self, stream):
        self.stream = stream
    def write(self, text):
        self.stream.write(text)
        if "run folder" in text:
            print("LOADED", *sys.modules, file=self.stream, flush=True)
            os._exit(0)
    def __getattr__(self, name):
        return getattr(self.stream, name)

sys.stdout = Watched(sys.stdout)
main(sys.argv[1:])
"""


def test_a_run_on_points_announces_itself_without_what_others_need(tmp_path):
    data = write_folder(tmp_path / "data")
    changes = ["data=point_folder", f"data.root={data}", "data.points=128", "data.val_fraction=0.25"]
    places = [f"run.root={tmp_path}", "block=random_frozen", "optim.batch_size=8"]
    done = subprocess.run(
        [sys.executable, "-c", ANNOUNCED, "train", "quickstart", *changes, *places],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    shown, _, loaded = done.stdout.partition("LOADED")
    assert shown.split()[:2] == ["experiment", "quickstart,"], done.stderr
    assert "torch" in loaded.split()
    assert not {"torch_geometric", "transformers", "matplotlib", "scipy.stats", "torchmetrics"} & set(loaded.split())
