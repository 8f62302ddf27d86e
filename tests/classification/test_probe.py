"""Linear probing of runs, of pre-training too, and of untrained encoders: one command."""

import json
from dataclasses import replace

import pytest
import torch
from small_runs import PRETRAINING, experiment, tool, write_folder

from geo_lm4ve.classification.probe import default_pools, features_of, probe
from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.session import Session
from geo_lm4ve.engine.train import train
from geo_lm4ve.engine.weights import load_run
from geo_lm4ve.experiment import to_yaml
from geo_lm4ve.files import write_text
from geo_lm4ve.options import load_option
from geo_lm4ve.pretrained import to_official

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'geo_lm4ve[probe]'")


@pytest.fixture(scope="module", params=["classify", "reconstruct"])
def run(request, tmp_path_factory):
    root = tmp_path_factory.mktemp(request.param)
    made = experiment(root, **(PRETRAINING if request.param == "reconstruct" else {}), optim={"epochs": 1})
    train(made)
    (folder,) = (root / "runs" / "small").iterdir()
    return made, folder


def test_one_command_prints_and_writes_accuracies_with_their_circumstances(run, capsys):
    made, folder = run
    code, out, err = tool(capsys, "probe", folder)
    assert code == 0, err
    assert "overall_accuracy" in out
    results = json.loads((folder / "linear_probe.json").read_text())
    assert set(results["metrics"]) == {"overall_accuracy", "mean_class_accuracy"}
    assert results["metrics"]["overall_accuracy"] > 0.4  # four kinds of solids
    assert results["samples"] == 20
    protocol = results["protocol"]
    groups = (
        "mean of groups + max of groups (48)"
        if made.task.name == "reconstruct"
        else "first of cls + max of groups (48)"
    )
    assert protocol["features"] == groups
    assert protocol["checkpoint"] == str(folder / "checkpoints" / "best")
    assert protocol["fitted_on"] == 32
    best = max(results["held_out_accuracy"].values())
    assert results["held_out_accuracy"][str(protocol["C"])] == best
    assert results["trained_on"]["data"] == results["data"]


def test_the_control_has_the_weights_of_the_seed(run, capsys):
    _, folder = run
    code, out, err = tool(capsys, "probe", folder, "--untrained")
    assert code == 0, err
    assert "untrained weights, seed 0" in out
    first, second = (json.loads((folder / "linear_probe_untrained.json").read_text()), probe(*run, untrained=True))
    assert first["trained_on"] == {"data": None, "note": "untrained weights, seed 0"}
    assert first["held_out_accuracy"] == second["held_out_accuracy"]
    assert first["metrics"] == second["metrics"]


def test_other_data_other_pools_and_another_file(run, tmp_path, capsys):
    _, folder = run
    write_folder(tmp_path / "other", train=6, test=3)
    other = ("data.val_fraction=0", f"data.root={tmp_path / 'other'}", "data.allow_other_counts=true")
    pools = ("--pool", "groups:max", "groups:mean", "groups:first")
    code, _, err = tool(capsys, "probe", folder, *other, *pools, "--out", tmp_path / "probe.json")
    assert code == 0, err
    results = json.loads((tmp_path / "probe.json").read_text())
    assert (results["samples"], results["protocol"]["fitted_on"]) == (12, 24)
    assert results["protocol"]["features"] == "max of groups + mean of groups + first of groups (72)"
    assert results["trained_on"]["data_root"] != results["data_root"] == str(tmp_path / "other")


def test_features_are_what_the_mlp_of_a_classifier_sees(tmp_path):
    made = experiment(tmp_path, optim={"epochs": 1})
    train(made)
    (folder,) = (tmp_path / "runs" / "small").iterdir()
    model, data = load_run(folder), made.data.build()
    found = features_of(Session(made.run), model, data, "test", (("cls", "first"), ("groups", "max")), 7)
    (batch,) = data.loader("test", batch_size=20, train=False, seed=0).batches(0)
    with torch.no_grad():
        expected = model.head.pool(model.tokens(batch))
    assert torch.allclose(torch.from_numpy(found.values), expected, atol=1e-5)
    assert found.labels.tolist() == batch.labels.tolist()


def test_an_official_file_is_probed_by_its_name(tmp_path, capsys):
    made = experiment(tmp_path, block=("identity", {}), optim={"epochs": 1})
    train(made)
    (folder,) = (tmp_path / "runs" / "small").iterdir()
    torch.save(to_official(load_run(folder)), tmp_path / "published.pth")
    write_text(tmp_path / "small.yaml", to_yaml(made))
    out = tmp_path / "probe.json"
    code, _, err = tool(
        capsys, "probe", tmp_path / "small.yaml", f"run.checkpoint={tmp_path / 'published.pth'}", "--out", out
    )
    assert code == 0, err
    assert json.loads(out.read_text())["metrics"] == probe(made, folder)["metrics"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"pool": ["groups:median"]}, r"--pool groups:median: unknown pooling 'median'.*first, max, mean"),
        ({"pool": ["lanes:max"]}, r"--pool lanes:max: unknown span 'lanes'.*cls, groups"),
    ],
)
def test_poolings_that_there_are_not(run, more, message):
    with pytest.raises(ConfigError, match=message):
        probe(*run, **more)


def test_without_weights_nothing_is_probed(tmp_path):
    with pytest.raises(
        ConfigError, match=r"no weights to probe: give a run folder, run\.checkpoint=PATH, or --untrained"
    ):
        probe(experiment(tmp_path), None)


def test_the_encoder_says_what_its_pretraining_trained(tmp_path):
    pretraining = replace(experiment(tmp_path), encoder=load_option("encoder", "point_bert_tiny_masked"),
                          head=load_option("head", "mask_decoder"))  # fmt: skip
    assert default_pools(pretraining) == (("groups", "mean"), ("groups", "max"))
    with pytest.raises(ConfigError, match="encoder=point_bert does not say what to probe: name it, --pool SPAN:mean"):
        default_pools(replace(pretraining, encoder=load_option("encoder", "point_bert_tiny")))
