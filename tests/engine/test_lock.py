import json
import subprocess
import sys
import time

import pytest
from small_runs import ROOT, command, experiment

from geo_lm4ve.engine.lock import LOCK, RunBusyError, RunLock
from geo_lm4ve.engine.session import Session
from geo_lm4ve.engine.train import train
from geo_lm4ve.experiment import to_yaml
from geo_lm4ve.files import write_text

HOLDER = """
import sys, time
from pathlib import Path
from geo_lm4ve.engine.lock import RunLock
from geo_lm4ve.engine.session import Session
from geo_lm4ve.parts.run import RunConfig
with RunLock() as lock:
    lock.take(Session(RunConfig(device="cpu")), Path(sys.argv[1]))
    print("taken", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def unfinished(tmp_path):
    """An experiment and its run folder, after one of three epochs."""
    whole = experiment(tmp_path)
    train(experiment(tmp_path, run={"max_steps": 3}))
    (folder,) = (tmp_path / "runs" / "small").iterdir()
    (folder / "results.json").unlink()
    write_text(folder / "config.yaml", to_yaml(whole))
    return whole, folder


@pytest.fixture
def holder(unfinished):
    """Another process that trains in the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(unfinished[1])], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )  # fmt: skip
    assert process.stdout.readline() == "taken\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_refused_and_names_the_first(unfinished, holder):
    small, folder = unfinished
    with pytest.raises(RunBusyError, match=rf"{folder} is being trained by process {holder.pid} on "):
        train(small, folder)
    assert not (folder / "results.json").exists()


def test_a_killed_process_keeps_nothing_locked_and_its_rubbish_goes(unfinished, holder):
    small, folder = unfinished
    from geo_lm4ve.files import host

    holder.kill()
    holder.wait()
    assert (folder / LOCK).is_file()
    for place in (folder, folder / "checkpoints", folder / "checkpoints" / "best"):
        (place / f".resume.pt.{holder.pid}@{host()}.tmp").write_text("half")
    train(small, folder)
    assert not [path.name for path in folder.rglob(".*")]


def test_training_leaves_no_lock(unfinished):
    small, folder = unfinished
    train(small, folder)
    assert not (folder / LOCK).exists()
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]


def test_a_lock_that_its_owner_removed_meanwhile_is_taken_anew(tmp_path):
    small = experiment(tmp_path)
    with RunLock() as first:
        first.take(Session(small.run), tmp_path)
        first.path.unlink()
        with RunLock() as second:
            second.take(Session(small.run), tmp_path)
            assert (tmp_path / LOCK).is_file()
    assert not (tmp_path / LOCK).exists()


@pytest.mark.slow
def test_two_processes_learn_alike_that_the_run_is_busy(unfinished, holder):
    started = time.monotonic()
    done = command("tools/train.py", unfinished[1], processes=2)
    assert done.returncode != 0
    assert done.stderr.count(f"is being trained by process {holder.pid}") == 1, done.stderr
    assert time.monotonic() - started < 120
