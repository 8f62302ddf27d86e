"""The wheel holds what its commands need, and they run where nothing of the repository lies beside them."""

import configparser
import os
import subprocess
import sys
import zipfile

import pytest
from small_runs import ROOT

RUN = "import sys; from geo_lm4ve.__main__ import main; sys.argv[0] = 'geo-lm4ve'; main()"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel of this checkout."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    code = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    run = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Runs ``geo-lm4ve ARGUMENTS`` in an empty folder, with the unpacked wheel in place of the repository."""
    target, work = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("work")
    wheel.extractall(target)
    environment = {**os.environ, "PYTHONPATH": str(target), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}

    def run(*arguments):
        command = [sys.executable, "-c", RUN, *arguments]
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr, work

    return run


def test_it_holds_options_and_what_is_known_of_data_sets_and_no_data(wheel):
    names = set(wheel.namelist())
    tracked = subprocess.run(["git", "ls-files", "datasets", "configs"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    carried = {name for name in names if name.startswith(("geo_lm4ve/datasets/", "geo_lm4ve/configs/"))}
    assert carried == {f"geo_lm4ve/{name}" for name in tracked.stdout.split()}
    assert "geo_lm4ve/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "tools/", "configs/"))]


def test_it_installs_the_command(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    entries = configparser.ConfigParser()
    entries.read_string(wheel.read(name).decode())
    assert dict(entries["console_scripts"]) == {"geo-lm4ve": "geo_lm4ve.__main__:main"}


def test_its_commands_find_what_comes_with_it(installed):
    code, shown, error, _ = installed("train", "quickstart", "--cfg", "job")
    assert code == 0, error
    assert "name: quickstart" in shown
    code, shown, error, work = installed("prepare", "modelnet40", "--check")
    assert code == 1
    assert "datasets/modelnet40/processed" in error  # the manifest was found, the data were not
    assert "manifest" not in error
    code, shown, _, _ = installed("prepare", "--help")
    assert "geo-lm4ve prepare modelnet40 --check" in shown
    assert "tools/" not in shown
    assert not any(work.iterdir())


@pytest.mark.slow
def test_it_trains_the_quick_start(installed):
    small = ["data.train=380", "data.test=38", "block.source=random:smollm2_135m", "run.max_steps=2", "optim.epochs=1"]
    code, shown, error, work = installed("train", "configs/quickstart.yaml", *small, "optim.batch_size=8")
    assert code == 0, error
    (run,) = work.glob("runs/quickstart/*")
    assert f"written to runs/quickstart/{run.name}" in shown
    assert (run / "report.html").is_file()
