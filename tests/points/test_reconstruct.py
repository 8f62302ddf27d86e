"""Pre-training by masked point modelling: loss, metrics, records, runs, pictures, and what starts from it."""

import json

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from small_runs import PRETRAINING, experiment, tool

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.evaluate import evaluate
from geo_lm4ve.engine.train import train
from geo_lm4ve.engine.trainer import Trainer
from geo_lm4ve.options import load_option
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.heads.mask_decoder import Reconstruction
from geo_lm4ve.points.reconstruct.task import Reconstruct, ReconstructConfig
from geo_lm4ve.saved import CheckpointError


def only_run(root):
    (folder,) = (root / "runs" / "small").iterdir()
    return folder


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    root = tmp_path_factory.mktemp("pretrained")
    results = train(experiment(root, **PRETRAINING, run={"pictures": True}))
    return root, only_run(root), results


def reconstruction():
    """Two clouds with one hidden group of one point each, predicted at distances 1 and 3 from it; it lies 2 from its
    center."""
    hidden = torch.tensor([2.0, 0, 0]).expand(2, 1, 1, 3)
    predicted = hidden + torch.tensor([1.0, 3.0])[:, None, None, None] * torch.tensor([0, 1.0, 0])
    return Reconstruction(predicted, hidden, torch.tensor([[[5.0, 0, 0]]] * 2), torch.zeros(2, 4, 3))


def batch(*index):
    return PointBatch(torch.zeros(len(index), 4, 3), torch.zeros(len(index), dtype=torch.long), torch.tensor(index))


def test_the_loss_is_the_mean_distance_of_the_hidden_groups():
    loss = Reconstruct(ReconstructConfig(), {}).loss(reconstruction(), batch(0, 1))
    assert loss.total.item() == pytest.approx((2 * 1 + 2 * 9) / 2)


def test_metrics_are_thousandths_and_name_what_a_blind_guess_has():
    metrics = Reconstruct(ReconstructConfig(), {}).metrics()
    for _ in range(2):
        metrics.update(reconstruction(), batch(0, 1))
    found = metrics.compute(metrics.state())
    assert found == pytest.approx({"chamfer_l2_x1000": 10_000, "centers_chamfer_l2_x1000": 8_000})


def test_records_keep_the_points_of_some_rows():
    records = Reconstruct(ReconstructConfig(shown=3), {"test": 12}).records(reconstruction(), batch(7, 8))
    assert [record["index"] for record in records] == [7, 8]
    assert [record["chamfer_l2_x1000"] for record in records] == pytest.approx([2000, 18000])
    assert "predicted" not in records[0]
    assert records[1]["predicted"] == [[7.0, 3.0, 0.0]]
    assert len(records[1]["visible"]) == 4


def test_a_run_selects_the_lowest_distance_and_draws(pretrained):
    _, folder, results = pretrained
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    distances = [row["val_chamfer_l2_x1000"] for row in rows]
    assert results["protocol"]["epoch"] == 1 + distances.index(min(distances))
    assert results["protocol"]["masks"] == "fixed by row"
    assert distances[-1] < distances[0]
    assert json.loads((folder / "checkpoints" / "best" / "model.json").read_text())["classes"] == []  # no labels used
    for picture in ("reconstructions.png", "curves.png"):
        with Image.open(folder / picture) as image:
            assert min(image.size) > 300
    assert "chamfer l2 x1000" in (folder / "report.html").read_text()
    records = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    assert [record["index"] for record in records if "predicted" in record] == [0, 4, 8, 12, 16]
    mean = sum(record["chamfer_l2_x1000"] for record in records) / 20
    assert results["metrics"]["chamfer_l2_x1000"] == pytest.approx(mean, rel=1e-5)


def test_scoring_again_gives_the_same_number_in_batches_of_another_size(pretrained):
    root, folder, results = pretrained
    again = evaluate(experiment(root, **PRETRAINING, optim={"batch_size": 3}), folder)
    assert again["metrics"] == pytest.approx(results["metrics"], rel=1e-5)


def test_pictures_are_drawn_again_and_damaged_points_are_named(pretrained, tmp_path, capsys):
    _, folder, _ = pretrained
    code, out, err = tool(capsys, "visualize", folder, "--out", tmp_path)
    assert code == 0, err
    assert "reconstructions.png" in out
    task = Reconstruct(ReconstructConfig(), {})
    with pytest.raises(ValueError, match="sample 4: predicted is not a list of points of three numbers"):
        task.check_records([{"index": 4, "chamfer_l2_x1000": 1.0, "predicted": [[0.0, 1.0]]}])
    with pytest.raises(ValueError, match="sample 4: chamfer_l2_x1000 is no number"):
        task.check_records([{"index": 4, "chamfer_l2_x1000": "1"}])


def test_a_classifier_starts_from_it(pretrained, tmp_path, capsys):
    _, folder, _ = pretrained
    trainer = Trainer(experiment(tmp_path, run={"init_from": str(folder)}))
    state, before = trainer.model.state_dict(), load_file(folder / "checkpoints" / "best" / "model.safetensors")
    taken = [key for key in before if key.startswith(("encoder.", "head.norm."))]
    assert len(taken) > 20
    for key in taken:
        assert torch.equal(state[key], before[key]), key
    out = capsys.readouterr().out
    assert "pre-trained (masked point modelling): " in out
    assert "not in the file, freshly initialised: encoder.stages.embed.* (2), " in out
    assert "bridge.adapter_out.weight, head.mlp.* (4)" in out
    assert "(decoder of the pre-training)" in out
    assert trainer.trained_on["started_from"]["checkpoint"] == str(folder)
    assert trainer.trained_on["started_from"]["data"].startswith("point clouds of data")
    results = train(experiment(tmp_path, run={"init_from": str(folder)}))
    assert results["samples"] == 20


def test_pre_training_goes_on_from_it_with_its_decoder(pretrained, tmp_path):
    _, folder, _ = pretrained
    trainer = Trainer(experiment(tmp_path, **PRETRAINING, run={"init_from": str(folder)}))
    for key, value in load_file(folder / "checkpoints" / "best" / "model.safetensors").items():
        assert torch.equal(trainer.model.state_dict()[key], value), key


def test_another_size_of_encoder_is_named(pretrained, tmp_path):
    _, folder, _ = pretrained
    sizes = {"num_groups": 8, "group_size": 8, "dim": 24, "encoder_dim": 24, "depth": 2}
    with pytest.raises(CheckpointError, match=r"pre-trained.*lacks encoder\.stages\.block_1.*encoder\.depth=1"):
        Trainer(experiment(tmp_path, encoder=("point_bert_tiny", sizes), run={"init_from": str(folder)}))


def test_its_weights_score_no_classifier(pretrained, tmp_path):
    _, folder, _ = pretrained
    with pytest.raises(CheckpointError, match="was trained with another model"):
        evaluate(experiment(tmp_path, run={"checkpoint": str(folder)}))


def test_the_frozen_block_must_be_the_one_of_the_pre_training(tmp_path):
    block = ("random_frozen", {})
    train(experiment(tmp_path, **{**PRETRAINING, "block": block}, optim={"epochs": 1}))
    start = {"init_from": str(only_run(tmp_path))}
    Trainer(experiment(tmp_path, block=block, run=start))
    with pytest.raises(BlockError, match="the model was trained with layers"):
        Trainer(experiment(tmp_path, block=("random_frozen", {"seed": 5}), run=start))
    with pytest.raises(CheckpointError, match=r"the model has no place for bridge\.adapter_in"):
        Trainer(experiment(tmp_path, block=("identity", {}), run=start))


@pytest.mark.parametrize("key", ["points", "shown"])
def test_numbers_that_cannot_be_meant(key):
    with pytest.raises(ConfigError, match=rf"task\.{key} must be at least 1, not 0"):
        load_option("task", "reconstruct", {key: 0})
