"""A package outside the repository brings a task, a scorer and a drawer: the tools find them without knowing them."""

import json
import os
import subprocess
import sys

import pytest
from small_runs import ROOT, tool

from geo_lm4ve.options import CONFIGS

PLUGIN = """
from dataclasses import dataclass

from geo_lm4ve.config import register
from geo_lm4ve.parts.drawer import drawer
from geo_lm4ve.parts.scorer import Scorer, register_scorer
from geo_lm4ve.parts.task import Answers, TaskConfig


@register("task", "toy_guess")
@dataclass
class Guess(TaskConfig):
    name: str = "toy_guess"

    def predict(self, experiment, folder, files, *, top, out):
        rows = [[file.name, f"guess {experiment.seed + top}"] for file in files]
        return Answers(["file", "answer"], rows, f"nothing written to {out}")

    def show(self, experiment, folder, out, *, activation, probe, count):
        (out / "toy.txt").write_text(f"{activation} {probe} {count}")
        return [out / "toy.txt"]


@drawer(".toy")
def draw(files, out, predictions):
    return [out / f"{file.stem} {predictions[str(file)]['answer']}" for file in files]


class Lines(Scorer):
    summary = "Count lines."

    def add_options(self, parser):
        parser.add_argument("--times", type=int, default=1)

    def score(self, options):
        print("score", options.times * len(options.predictions.read_text().splitlines()))


register_scorer("toy_lines", Lines())
"""

DRIVER = """
import contextlib, io, json, runpy, sys

results = []
for line in json.load(sys.stdin):
    sys.argv, code, shown = line, 0, io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        try:
            runpy.run_path(line[0], run_name="__main__")
        except SystemExit as stop:
            code = stop.code or 0
            shown.write(code if isinstance(code, str) else "")
    results.append([code, shown.getvalue()])
print(json.dumps(results))
"""


@pytest.fixture
def plugin(tmp_path):
    """A folder of installed packages that holds the plugin."""
    (tmp_path / "site" / "toy_plugin-0.dist-info").mkdir(parents=True)
    (tmp_path / "site" / "toy_plugin.py").write_text(PLUGIN)
    about = tmp_path / "site" / "toy_plugin-0.dist-info"
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-plugin\nVersion: 0\n")
    (about / "entry_points.txt").write_text("[geo_lm4ve.plugins]\ntoy = toy_plugin\n")
    return tmp_path / "site"


@pytest.mark.slow
def test_tools_find_what_a_plugin_registers(plugin, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    text = (CONFIGS / "quickstart.yaml").read_text().replace("task: classify", "/schema/task/toy_guess")
    (run / "config.yaml").write_text(text)
    toy, answers = tmp_path / "a.toy", tmp_path / "answers.json"
    toy.write_text("one\ntwo\n")
    answers.write_text(json.dumps([{"file": str(toy), "answer": 42}]))
    (tmp_path / "b.off").write_text("OFF\n")
    commands = [
        ["predict", run, toy, "seed=4", "--top", 3],
        ["visualize", run, "--activation", "magnitude", "--probe", "before", "--scenes", 5, "--out", tmp_path],
        ["visualize", toy, "--predictions", answers, "--out", tmp_path],
        ["visualize", toy, tmp_path / "b.off"],
        ["visualize", tmp_path / "config.unknown"],
        ["visualize", plugin / "toy_plugin.py"],
        ["evaluate", "--predictions", toy, "--protocol", "toy_lines", "--times", 3],
        ["evaluate", "--predictions", toy, "--protocol", "toy_line"],
    ]
    lines = [[str(ROOT / "tools" / f"{name}.py"), *map(str, rest)] for name, *rest in commands]
    path = os.pathsep.join([str(plugin), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", DRIVER], input=json.dumps(lines), capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert [code if isinstance(code, int) else 1 for code, _ in results] == [0, 0, 0, 1, 1, 1, 0, 2]
    predicted, shown, drawn, mixed, missing, unknown, scored, mistyped = (text for _, text in results)
    assert "guess 7" in predicted
    assert "nothing written to None" in predicted
    assert shown.strip() == str(tmp_path / "toy.txt")
    assert (tmp_path / "toy.txt").read_text() == "magnitude before 5"
    assert drawn.strip() == str(tmp_path / "a 42")
    assert "give files of one kind" in mixed
    assert missing == f"error: there is no file {tmp_path / 'config.unknown'}\n"
    assert "files .py are not drawn; known are" in unknown
    assert ".toy" in unknown
    assert scored == "score 6\n"
    assert "did you mean 'toy_lines'" in mistyped
    assert "known: av1, av2, imagenet_c, scanqa" in mistyped
    assert ", toy_lines\n" in mistyped


def test_a_task_without_such_an_answer_says_so(tmp_path, capsys):
    (tmp_path / "config.yaml").write_text((CONFIGS / "modelnet40_pretrain.yaml").read_text())
    code, _, err = tool(capsys, "visualize", tmp_path, "--activation", "magnitude")
    assert code == 1
    assert err == "error: task=reconstruct has no picture of token activation; leave --activation out\n"
