"""What fails in the middle of training is said with what is kept; afterwards the run goes on."""

import errno
import json
import shutil

import pytest
from small_runs import experiment

from geo_lm4ve.data.loaders import TrainLoader
from geo_lm4ve.engine import train as training
from geo_lm4ve.engine.train import train
from geo_lm4ve.engine.trainer import Trainer, TrainingError
from geo_lm4ve.files import DiskFullError
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataError


def only_run(tmp_path):
    (folder,) = (tmp_path / "runs" / "small").iterdir()
    return folder


def notes(caught):
    return "\n".join(getattr(caught.value, "__notes__", ()))


def traffic(tmp_path, **changes):
    """Forecasting on eight made-up scenes in two shards."""
    data = {"root": str(tmp_path / "traffic"), "train": 8, "val": 4}
    small = experiment(
        tmp_path, optim=("vectornet_short", {"epochs": 3, "batch_size": 2}), run={"select_on": "last", **changes}
    )
    parts = {
        "data": load_option("data", "synthetic_traffic", data),
        "encoder": load_option("encoder", "vectornet_small", {"widths": [4, 8]}),
        "block": load_option("block", "identity"),
        "head": load_option("head", "vectornet"),
        "task": load_option("task", "forecast"),
    }
    for name, part in parts.items():
        setattr(small, name, part)
    small.run.split = "val"
    return small


def test_a_cache_that_disappears_ends_training_with_what_is_kept(tmp_path, monkeypatch):
    small = traffic(tmp_path)
    begin = Trainer.begin_step

    def gone(self):
        if self.position.steps == 5:
            for folder in (tmp_path / "traffic").rglob("shard-*.safetensors"):
                folder.unlink()
            for split in ("train", "val"):
                self.data.split(split).shards.loaded.clear()
        return begin(self)

    monkeypatch.setattr(Trainer, "begin_step", gone)
    with pytest.raises(DataError, match=r"shard-00000\S* is missing; delete it and manifest") as caught:
        train(small)
    folder = only_run(tmp_path)
    assert f"what was trained is kept; go on with: python tools/train.py {folder}" in notes(caught)
    assert "while batch" in notes(caught)
    monkeypatch.undo()
    for manifest in (tmp_path / "traffic").rglob("manifest.json"):
        if manifest.parent.joinpath("report.json").is_file():
            manifest.unlink()
    train(small, folder)
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_disk_that_fails_under_a_loader_ends_training_with_what_is_kept(tmp_path, monkeypatch, workers):
    small = experiment(tmp_path, data={"workers": workers})
    batches = TrainLoader.batches

    def failing(self, epoch, start=0):
        if epoch == 1:
            of = self.of
            monkeypatch.setattr(type(of), "train_batch", gone)
        return batches(self, epoch, start)

    def gone(self, rows, draw):
        raise OSError(errno.EIO, "Input/output error", "/mnt/data/ply_data_train0.h5")

    monkeypatch.setattr(TrainLoader, "batches", failing)
    with pytest.raises(
        TrainingError, match=r"training stopped: Input/output error: /mnt/data/ply_data_train0\.h5"
    ) as caught:
        train(small)
    assert "while batch 0 of epoch 1 was made" in notes(caught)
    assert f"go on with: python tools/train.py {only_run(tmp_path)}" in notes(caught)


def test_clouds_are_in_memory_so_their_folder_may_go(tmp_path, monkeypatch):
    small = experiment(tmp_path)
    begin = Trainer.begin_step

    def gone(self):
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        return begin(self)

    monkeypatch.setattr(Trainer, "begin_step", gone)
    assert train(small)["samples"] == 20


@pytest.mark.parametrize("left", [0, 150_000])  # for the log; for the log and a part of the checkpoint
def test_a_disk_that_runs_full_keeps_the_last_checkpoint(tmp_path, tiny_disk, monkeypatch, left):
    small = experiment(tmp_path, run={"root": str(tiny_disk.folder), "select_on": "last"})
    finish, filled = training.finish_epoch, []

    def full(trainer, row, trackers):
        if trainer.position.epoch == 1:
            filled.append(tiny_disk.fill(left))
        finish(trainer, row, trackers)

    monkeypatch.setattr(training, "finish_epoch", full)
    with pytest.raises(DiskFullError, match="no space left while writing") as caught:
        train(small)
    (folder,) = (tiny_disk.folder / "small").iterdir()
    assert f"go on with: python tools/train.py {folder}" in notes(caught)
    monkeypatch.undo()
    filled[0].unlink()
    train(small, folder)
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert not list(folder.rglob(".*"))
