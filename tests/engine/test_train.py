import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file
from small_runs import PRETRAINING, ROOT, experiment

from geo_lm4ve.cli import load
from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.session import Session
from geo_lm4ve.engine.train import train
from geo_lm4ve.engine.trainer import Trainer, TrainingError
from geo_lm4ve.experiment import to_yaml
from geo_lm4ve.files import write_text
from geo_lm4ve.testing import assert_equal_up_to_rounding


def only_run(tmp_path):
    folders = list((tmp_path / "runs" / "small").iterdir())
    assert len(folders) == 1
    return folders[0]


def weights(folder):
    return load_file(folder / "checkpoints" / "last" / "model.safetensors")


def assert_same(a, b):
    assert a.keys() == b.keys()
    for key in a:
        assert torch.equal(a[key], b[key]), key


def test_run_folder_holds_everything(tmp_path):
    results = train(experiment(tmp_path))
    folder = only_run(tmp_path)
    kept = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    expected = {"config.yaml", "environment.json", "metrics.jsonl", "results.json", "predictions.jsonl"}
    files = ("model.json", "model.safetensors", "training.json")
    checkpoints = {f"checkpoints/{kind}/{file}" for kind in ("best", "last") for file in files}
    assert kept == expected | checkpoints | {"checkpoints/resume.pt", "checkpoints/selected.json"}
    assert results == json.loads((folder / "results.json").read_text())
    assert results["samples"] == 20
    assert results["protocol"]["select_on"] == "val"
    assert set(results["metrics"]) == {"overall_accuracy", "mean_class_accuracy", "loss"}
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    records = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    assert [record["index"] for record in records] == list(range(20))
    accuracy = sum(record["correct"] for record in records) / 20
    assert results["metrics"]["overall_accuracy"] == pytest.approx(accuracy)


def test_it_learns_what_can_be_learnt(tmp_path):
    easy = {"val_fraction": 0.0, "shift": 0.0, "scale_low": 0.9, "scale_high": 1.1}
    optim = {"epochs": 40, "batch_size": 8, "lr": 3e-3}
    small = experiment(tmp_path, optim=optim, data=easy, head={"dropout": 0.0}, run={"select_on": "last"})
    assert train(small)["metrics"]["overall_accuracy"] >= 0.8


def test_saved_config_composes_to_the_same_experiment(tmp_path):
    first = experiment(tmp_path)
    write_text(tmp_path / "config.yaml", to_yaml(first))
    assert load(tmp_path / "config.yaml")[0] == first


def test_seed_decides_everything(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(experiment(tmp_path / name, seed=seed))
    a, b, c = (weights(only_run(tmp_path / name)) for name in "abc")
    assert_same(a, b)
    assert any(not torch.equal(a[key], c[key]) for key in a)


class Killed(BaseException):
    """Stands for a process that dies without a chance to clean up."""


@pytest.mark.parametrize(("step", "task"), [*((step, {}) for step in (1, 3, 4, 6, 7)), (7, PRETRAINING)])
def test_resume_after_a_crash_at_any_step_gives_the_same_weights(tmp_path, monkeypatch, step, task):
    # at 6 the epoch ends in a checkpoint of its own
    changes = {"run": {"checkpoint_steps": 2}, "optim": {"ema_decay": 0.9, "accumulate": 2}, **task}
    train(experiment(tmp_path / "whole", **changes))
    end_step = Trainer.end_step

    def die(self):
        stop = end_step(self)
        if self.position.steps == step:
            raise Killed
        return stop

    monkeypatch.setattr(Trainer, "end_step", die)
    broken = experiment(tmp_path / "broken", **changes)
    with pytest.raises(Killed):
        train(broken)
    monkeypatch.undo()
    folder = only_run(tmp_path / "broken")
    train(broken, folder)
    whole = only_run(tmp_path / "whole")
    assert_same(weights(whole), weights(folder))
    logs = [(run / "metrics.jsonl").read_text().splitlines() for run in (whole, folder)]
    for a, b in zip(*(map(json.loads, log) for log in logs)):
        speed = "samples_per_second"
        assert {**a, speed: 0} == {**b, speed: 0}


@pytest.mark.slow
def test_resume_after_a_real_kill(tmp_path):
    changes = {"optim": {"epochs": 30}, "run": {"select_on": "last"}}
    train(experiment(tmp_path / "whole", **changes))
    broken = experiment(tmp_path / "broken", **changes)
    write_text(tmp_path / "broken.yaml", to_yaml(broken))
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}  # sums are split alike
    arguments = [sys.executable, "tools/train.py", tmp_path / "broken.yaml"]
    process = subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    log = None
    while process.poll() is None and log is None:
        time.sleep(0.01)
        log = next((tmp_path / "broken").glob("runs/small/*/metrics.jsonl"), None)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run ended before it could be killed"
    folder = only_run(tmp_path / "broken")
    assert not (folder / "results.json").exists()
    train(broken, folder)
    assert_same(weights(only_run(tmp_path / "whole")), weights(folder))


def test_interrupt_saves_and_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    begin_step = Trainer.begin_step

    def interrupted(self):
        if self.position.steps == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return begin_step(self)

    monkeypatch.setattr(Trainer, "begin_step", interrupted)
    small = experiment(tmp_path / "stopped")
    with pytest.raises(SystemExit) as stop:
        train(small)
    assert stop.value.code == 130
    folder = only_run(tmp_path / "stopped")
    assert f"python tools/train.py {folder}" in capsys.readouterr().out
    monkeypatch.undo()
    train(small, folder)
    train(experiment(tmp_path / "whole"))
    assert_same(weights(only_run(tmp_path / "whole")), weights(folder))


def test_finished_run_is_not_trained_again(tmp_path, capsys):
    small = experiment(tmp_path)
    results = train(small)
    before = weights(only_run(tmp_path))
    assert train(small, only_run(tmp_path)) == results
    assert "is finished" in capsys.readouterr().out
    assert_same(before, weights(only_run(tmp_path)))


def test_loss_that_is_not_finite_names_the_rows_and_keeps_the_checkpoint(tmp_path, monkeypatch):
    begin_step = Trainer.begin_step

    def poison(self):
        if self.position.steps == 4:
            with torch.no_grad():
                next(self.model.head.parameters()).fill_(float("nan"))
        return begin_step(self)

    monkeypatch.setattr(Trainer, "begin_step", poison)
    with pytest.raises(TrainingError, match=r"epoch 2, step 2 \(training rows \[\d+") as caught:
        train(experiment(tmp_path))
    (said,) = caught.value.__notes__
    assert said == f"what was trained is kept; go on with: python tools/train.py {only_run(tmp_path)}"
    state = torch.load(only_run(tmp_path) / "checkpoints" / "resume.pt", weights_only=True)
    assert all(torch.isfinite(value).all() for value in state["model"].values() if value.is_floating_point())
    assert state["position"]["epoch"] == 1


def test_damaged_resume_checkpoint_is_named(tmp_path, monkeypatch):
    from geo_lm4ve.saved import CheckpointError

    small = experiment(tmp_path)
    train(small)
    folder = only_run(tmp_path)
    (folder / "results.json").unlink()
    path = folder / "checkpoints" / "resume.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=rf"{folder} is cut off, damaged or not a resume checkpoint of this run"):
        train(small, folder)


def test_accumulated_micro_batches_give_the_step_of_the_whole_batch(tmp_path):
    plain = {"scale_low": 1.0, "scale_high": 1.0, "shift": 0.0, "sampling": "first"}
    changes = {"encoder": {"freeze": True}, "head": {"dropout": 0.0}, "run": {"select_on": "last"}, "data": plain}
    for name, accumulate in (("one", 1), ("four", 4)):
        train(experiment(tmp_path / name, optim={"accumulate": accumulate}, **changes))
    a, b = (weights(only_run(tmp_path / name)) for name in ("one", "four"))
    for key in a:
        assert_equal_up_to_rounding(a[key], b[key])


def test_selection_without_a_validation_split_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="val_fraction"):
        train(experiment(tmp_path, data={"val_fraction": 0.0}))


def test_selecting_on_test_is_said(tmp_path):
    results = train(experiment(tmp_path, data={"val_fraction": 0.0}, run={"select_on": "test"}))
    assert results["protocol"]["select_on"] == "test"
    rows = [json.loads(line) for line in (only_run(tmp_path) / "metrics.jsonl").read_text().splitlines()]
    best = max(row["test_overall_accuracy"] for row in rows)
    assert results["metrics"]["overall_accuracy"] == pytest.approx(best)


def test_sums_of_all_processes_are_saved_once_and_go_on_in_the_main_one(tmp_path, monkeypatch):
    small = experiment(tmp_path)
    trainer = Trainer(small)
    trainer.position.step, trainer.position.sums = 1, {"loss": 3.0}
    monkeypatch.setattr(Session, "sum", lambda _, tensors: {key: value + 4 for key, value in tensors.items()})
    trainer.save()
    assert trainer.position.sums == {"loss": 3.0}, "this process goes on with its own"
    assert Trainer(small, trainer.folder).position.sums == {"loss": 7.0}
    monkeypatch.setattr(Session, "main", property(lambda _: False))
    assert Trainer(small, trainer.folder).position.sums == {"loss": 0.0}


def test_max_steps_cuts_a_run_short(tmp_path):
    train(experiment(tmp_path, run={"max_steps": 2}))
    rows = (only_run(tmp_path) / "metrics.jsonl").read_text().splitlines()
    assert json.loads(rows[-1])["step"] == 2
    assert len(rows) == 1


def test_a_split_that_is_not_there_is_refused_before_training(tmp_path):
    with pytest.raises(ConfigError, match=r"run\.split=validation.*train, val, test"):
        train(experiment(tmp_path, run={"split": "validation"}))
