import json

import pytest
import torch
from small_runs import clouds, command, experiment

from geo_lm4ve.classification.predict import classify_files
from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.evaluate import evaluate
from geo_lm4ve.engine.train import train
from geo_lm4ve.engine.weights import build_experiment_model
from geo_lm4ve.model import Model
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.pretrained import to_official
from geo_lm4ve.saved import CheckpointError
from geo_lm4ve.testing import rounding_bound


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("trained")
    small = experiment(root, run={"cost": True})
    results = train(small)
    (folder,) = (root / "runs" / "small").iterdir()
    return small, folder, results


def test_evaluation_repeats_the_training_score(trained):
    small, folder, results = trained
    again = evaluate(small, folder)
    assert again["metrics"] == results["metrics"]
    assert again["protocol"]["checkpoint"].endswith("checkpoints/best")
    (written,) = (folder / "evaluations" / "small").iterdir()
    assert json.loads((written / "results.json").read_text()) == again
    assert len((written / "predictions.jsonl").read_text().splitlines()) == 20


def test_votes_are_counted_in_the_protocol_and_deterministic(trained):
    small, folder, _ = trained
    small.task.votes = 3
    try:
        first, second = evaluate(small, folder), evaluate(small, folder)
    finally:
        small.task.votes = 0
    assert first["protocol"]["votes"] == 3
    assert first["metrics"] == second["metrics"]
    assert first["samples"] == 20


def test_untrained_experiment_is_not_scored(tmp_path):
    with pytest.raises(ConfigError, match=r"run\.checkpoint"):
        evaluate(experiment(tmp_path))


def test_sample_count_must_match_the_split(trained, monkeypatch):
    from geo_lm4ve.classification.task import Classify

    small, folder, _ = trained
    records = Classify.records
    monkeypatch.setattr(Classify, "records", lambda self, output, batch: records(self, output, batch)[1:])
    with pytest.raises(DataError, match=r"has 20 samples, but 17 were scored; no score"):
        evaluate(small, folder)


def test_saved_model_loads_without_the_data(trained):
    _, folder, _ = trained
    model = Model.from_pretrained(folder / "checkpoints" / "best")
    assert model.classes == ("ball", "box", "disc", "rod")
    assert not model.training


def test_predict_reads_files_without_the_data_set(trained, tmp_path):
    import numpy as np

    small, folder, _ = trained
    data, _ = clouds(1, 300, seed=9)
    for name, points in zip(("ball", "box"), data):
        np.savetxt(tmp_path / f"{name}.txt", points * 7 + 3)
    small.data.root = "nowhere"
    answers = classify_files(small, folder, [tmp_path / "ball.txt", tmp_path / "box.txt"], top=2).predictions
    assert [len(answer["top"]) for answer in answers] == [2, 2]
    for answer in answers:
        assert 0 < sum(probability for _, probability in answer["top"]) <= 1


def test_empty_folder_is_no_run(trained, tmp_path):
    small, _, _ = trained
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        classify_files(small, tmp_path, [])


@pytest.mark.slow
def test_two_processes_score_like_one(trained):
    small, folder, results = trained
    small.data.root = str(folder.parents[2] / "data")
    run = command("tools/evaluate.py", folder, "optim.batch_size=6", processes=2)
    assert run.returncode == 0, run.stderr
    newest = max((folder / "evaluations" / "small").iterdir(), key=lambda path: path.stat().st_mtime)
    two = json.loads((newest / "results.json").read_text())
    assert two["environment"]["processes"] == 2
    assert two["cost"]["processes"] == 2
    assert two["cost"]["flops_per_sample"] == results["cost"]["flops_per_sample"]
    assert two["samples"] == 20
    assert [line.split()[3] for line in run.stdout.splitlines() if "samples" in line] == ["20"]
    assert "2 take the steps of one; each draws by itself: dropout" in run.stdout
    assert two["metrics"]["overall_accuracy"] == results["metrics"]["overall_accuracy"]
    assert two["metrics"]["loss"] == pytest.approx(results["metrics"]["loss"], rel=rounding_bound(torch.float32))


def test_official_checkpoint_file_is_scored(tmp_path):
    plain = experiment(tmp_path, block=("identity", {}))
    torch.save({"base_model": to_official(build_experiment_model(plain, 4)), "epoch": 3}, tmp_path / "official.pth")
    plain.run.checkpoint = str(tmp_path / "official.pth")
    scored = evaluate(plain)
    assert scored["samples"] == 20
    assert scored["protocol"]["checkpoint"] == plain.run.checkpoint


def test_trackers_write_or_name_what_is_missing(tmp_path, monkeypatch):
    from geo_lm4ve.files import UserError

    pytest.importorskip("tensorboard")
    train(experiment(tmp_path / "a", run={"trackers": ["tensorboard"]}))
    assert list((tmp_path / "a").glob("runs/small/*/tensorboard/events.*"))
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    with pytest.raises(UserError, match=r"geo_lm4ve\[log\]"):
        train(experiment(tmp_path / "b", run={"trackers": ["wandb"]}))
