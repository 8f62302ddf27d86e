"""Files of one's own through a trained run: some at a time, in their order, on the run's device, whatever is wrong."""

import contextlib

import numpy as np
import pytest
import torch
from small_runs import clouds, experiment

from geo_lm4ve.classification.predict import classify_files
from geo_lm4ve.engine import predict, session
from geo_lm4ve.engine.predict import predict_files
from geo_lm4ve.engine.train import train
from geo_lm4ve.engine.weights import begin_evaluation
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.parts.run import Precision
from geo_lm4ve.points.own_clouds import OwnClouds
from geo_lm4ve.testing import assert_equal_up_to_rounding


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("trained")
    small = experiment(root, optim={"epochs": 1})
    train(small)
    (folder,) = (root / "runs" / "small").iterdir()
    return small, folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten clouds with different numbers of points."""
    folder = tmp_path_factory.mktemp("clouds")
    for number in range(10):
        points, _ = clouds(1, 130 + 10 * number, seed=number)
        np.save(folder / f"cloud{number}.npy", points[number % 4] * (number + 1))
    return folder


def logits(trained, given):
    found = []
    left_out = predict_files(*trained, 4, given, lambda paths, batch, output: found.append((paths, output)))
    assert not left_out
    return [path for paths, _ in found for path in paths], torch.cat([output for _, output in found])


def test_one_chunk_is_what_the_model_gives_for_all_files_at_once(trained, folder):
    small, run = trained
    paths, found = logits(trained, [folder])
    assert [path.name for path in paths] == [f"cloud{number}.npy" for number in range(10)]
    with torch.no_grad():
        expected = begin_evaluation(small, run).model(4)[0].eval()(small.data.read(paths))
    assert torch.equal(found, expected)


@pytest.mark.parametrize("size", [1, 3, 9])
def test_chunks_give_what_all_at_once_gives(trained, folder, monkeypatch, size):
    _, expected = logits(trained, [folder])
    read = []
    batch = OwnClouds.batch
    monkeypatch.setattr(OwnClouds, "batch", lambda own, samples: read.append(len(samples)) or batch(own, samples))
    monkeypatch.setattr(predict, "BATCH", size)
    _, found = logits(trained, [folder])
    assert_equal_up_to_rounding(found, expected, dtype=torch.float32)
    assert max(read) == size
    assert sum(read) == 10


def test_unreadable_files_do_not_end_it_and_are_named(trained, folder, tmp_path):
    (tmp_path / "bad.off").write_text("OFF\n")
    (tmp_path / "strange.las").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    two, one = folder / "cloud2.npy", folder / "cloud1.npy"
    given = [tmp_path / "bad.off", two, tmp_path / "gone.ply", tmp_path / "strange.las", tmp_path / "empty", one, two]
    classified = classify_files(*trained, given, top=2)
    assert [prediction["file"] for prediction in classified.predictions] == [str(two), str(one)]
    empty, bad, gone, strange = classified.left_out
    assert empty.startswith(f"{tmp_path / 'empty'}: no file in this folder")
    assert "bad.off" in bad
    assert gone == f"there is no file {tmp_path / 'gone.ply'}"
    assert "files .las are not read; known are .off" in strange
    with pytest.raises(DataError, match=r"nothing can be predicted, for these reasons:\n.*gone\.ply"):
        classify_files(*trained, [tmp_path / "gone.ply"])
    with pytest.raises(DataError, match="no files to predict"):
        classify_files(*trained, [])


def test_clouds_off_the_unit_sphere_are_said_once_for_all_chunks(trained, folder, monkeypatch, capsys):
    monkeypatch.setattr(predict, "BATCH", 3)
    monkeypatch.setattr(trained[0].data, "normalize", False)
    logits(trained, [folder])
    assert capsys.readouterr().err.count("8 of 10 clouds are not on the unit sphere") == 1


def test_ctrl_c_ends_with_what_is_done(trained, folder, monkeypatch):
    sample = OwnClouds.sample

    def stopping(at):
        def read(own, path):
            if path.name == at:
                raise KeyboardInterrupt
            return sample(own, path)

        return read

    monkeypatch.setattr(predict, "BATCH", 3)
    monkeypatch.setattr(OwnClouds, "sample", stopping("cloud7.npy"))
    classified = classify_files(*trained, [folder])
    assert len(classified.predictions) == 6
    assert classified.left_out == ["stopped by Ctrl-C: 4 files were not predicted"]
    monkeypatch.setattr(OwnClouds, "sample", stopping("cloud1.npy"))
    with pytest.raises(KeyboardInterrupt):
        classify_files(*trained, [folder])


class Elsewhere:
    """What stands for an accelerator that is not there: tensors without values, or mixed precision of the CPU."""

    is_main_process, num_processes, process_index = True, 1, 0

    def __init__(self, **given):
        self.given.append(given)

    def autocast(self):
        low = self.given[-1]["mixed_precision"] == "bf16"
        return torch.autocast("cpu", torch.bfloat16) if low else contextlib.nullcontext()


@pytest.fixture
def elsewhere(monkeypatch):
    """The class, with what it was built with; there seems to be an accelerator."""
    monkeypatch.setattr(Elsewhere, "given", [], raising=False)
    monkeypatch.setattr(Elsewhere, "device", torch.device("meta"), raising=False)
    monkeypatch.setattr(session, "Accelerator", Elsewhere)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    return Elsewhere


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_model_and_batches_go_where_the_run_computes(trained, folder, elsewhere, monkeypatch, device):
    small, run = trained
    monkeypatch.setattr(small.run, "device", device)
    places = []
    predict_files(small, run, 4, [folder], lambda _, batch, output: places.append((batch.points.device, output.device)))
    assert places == [(torch.device("cpu"), torch.device("meta"))]
    assert [one["cpu"] for one in elsewhere.given] == [device == "cpu"]


@pytest.mark.parametrize(("precision", "dtype"), [(Precision.no, torch.float32), (Precision.bf16, torch.bfloat16)])
def test_the_precision_is_that_of_the_run(trained, folder, elsewhere, monkeypatch, precision, dtype):
    small, run = trained
    monkeypatch.setattr(elsewhere, "device", torch.device("cpu"))
    monkeypatch.setattr(small.run, "precision", precision)
    kinds = []
    predict_files(small, run, 4, [folder], lambda _, batch, output: kinds.append((batch.points.dtype, output.dtype)))
    assert kinds == [(torch.float32, dtype)]
    assert len(classify_files(small, run, [folder]).predictions) == 10
