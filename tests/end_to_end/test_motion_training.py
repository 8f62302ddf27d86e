"""The shipped forecasting experiments train, score, predict and draw: on made-up traffic, with a random block."""

import json

import pytest
import torch
from small_runs import command, tool

from geo_lm4ve.options import CONFIGS
from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.traffic.argoverse.argoverse1 import ARGOVERSE1
from geo_lm4ve.traffic.scoring.scores import score_predictions
from geo_lm4ve.traffic.submissions import read_argoverse1

EXPERIMENTS = {
    "argoverse1_vectornet_llama": ("synthetic_traffic", "encoder.widths=[4,8]", "data.frame.forward=x"),
    "argoverse1_mmtransformer_llama": ("synthetic_traffic_mmtransformer", "encoder.dim=16", "bridge.after=proposals"),
    "argoverse2_vectornet_llama": ("synthetic_traffic_av2", "encoder.widths=[4,8]", "bridge.after=subgraph"),
    "argoverse2_mmtransformer_llama": ("synthetic_traffic_av2", "encoder.dim=16", "bridge.after=agents_lanes"),
}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_shipped_forecasting_experiment_trains_and_scores(name, tmp_path, capsys):
    data, *changes = EXPERIMENTS[name]
    optim = "vectornet_short" if "vectornet" in name else "motion_short"
    code, _, err = tool(
        capsys, "train", CONFIGS / f"{name}.yaml", f"data={data}", f"data.root={tmp_path / 'traffic'}", "data.train=8",
        "data.val=4", "block=random_frozen", f"optim={optim}", "optim.epochs=1", "optim.batch_size=4",
        f"run.root={tmp_path / 'runs'}", "run.pictures=false", *changes,
    )  # fmt: skip
    assert code == 0, err
    (run,) = (tmp_path / "runs" / name).iterdir()
    results = json.loads((run / "results.json").read_text())
    assert results["samples"] == 4
    assert (results["protocol"]["split"], results["protocol"]["select_on"]) == ("val", "last")
    assert results["parameters"]["frozen"] >= 3_540_096
    assert {"minADE_6", "minFDE_6", "MR_6", "minFDE_1", "brier-minFDE_6", "loss"} <= results["metrics"].keys()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run folder on made-up traffic in the layout of Argoverse 1, and the folder of that traffic."""
    root = tmp_path_factory.mktemp("trained")
    parts = ["data=synthetic_traffic", "encoder=vectornet_small", "block=random_frozen", "optim=vectornet_short"]
    sizes = ["data.train=8", "data.val=4", "optim.epochs=1", "optim.batch_size=4", "run.pictures=false"]
    places = [f"data.root={root / 'traffic'}", f"run.root={root}"]
    done = command("tools/train.py", CONFIGS / "argoverse1_vectornet_llama.yaml", *parts, *sizes, *places)
    assert done.returncode == 0, done.stderr
    (run,) = (root / "argoverse1_vectornet_llama").iterdir()
    return run, root / "traffic"


def test_predict_forecasts_files_with_a_run_and_with_a_baseline(trained, tmp_path, capsys):
    run, traffic = trained
    files = sorted((traffic / "val" / "data").glob("*.csv"))
    code, out, err = tool(capsys, "predict", run, *files, "--out", tmp_path / "run", "--top", 2)
    assert code == 0, err
    assert "scenes: 4" in out
    assert all(file.stem in out for file in files)
    scores = score_predictions(tmp_path / "run" / "forecasts.h5", traffic / "val", ARGOVERSE1).results
    assert scores["samples"] == 4
    code, _, err = tool(capsys, "predict", run, traffic / "val", "--out", tmp_path / "folder")
    assert code == 0, err
    folder, listed = (read_argoverse1(tmp_path / name / "forecasts.h5") for name in ("folder", "run"))
    assert sorted(folder.scenes) == sorted(listed.scenes) == sorted(file.stem for file in files)
    order = [folder.scenes.index(scene) for scene in listed.scenes]
    assert_equal_up_to_rounding(folder.positions[order], listed.positions, dtype=torch.float32, scale=100.0)  # metres
    expected = json.loads((run / "results.json").read_text())["metrics"]
    assert scores["metrics"]["K=6"]["minFDE"] == pytest.approx(expected["minFDE_6"], abs=1e-2)
    page = (tmp_path / "run" / "scenes.html").read_text()
    assert "trained on synthetic data" in page
    assert "badge" not in page.split("<h1")[1].split("</h1>")[0], "the files need not be synthetic"
    baseline = [CONFIGS / "argoverse1_constant_velocity.yaml", files[0], f"data.root={traffic}"]
    code, _, err = tool(capsys, "predict", *baseline, "--out", tmp_path / "baseline")
    assert code == 0, err
    assert (tmp_path / "baseline" / "forecasts.h5").is_file()
    code, out, err = tool(capsys, "predict", run, tmp_path / "none.csv", files[0], "--out", tmp_path / "one")
    assert code == 1, "a scene was left out"
    assert "scenes: 1" in out
    assert err.split("error: ")[1].startswith(f"left out: 1, for these reasons:\n{tmp_path / 'none.csv'} is missing")


def test_predict_says_what_is_wrong(trained, tmp_path, capsys):
    run, traffic = trained
    files = sorted((traffic / "val" / "data").glob("*.csv"))
    for arguments, message in (
        ([run, tmp_path / "none.csv"], "none.csv"),
        ([tmp_path, tmp_path / "none.csv"], "is no run folder: it holds no config.yaml"),
        ([CONFIGS / "argoverse1_constant_velocity.yaml", "a.csv", "data.rooot=x"], "data.rooot"),
        ([CONFIGS / "modelnet40_llama.yaml", "a.off"], "needs a run folder"),
        ([run, files[0], "block.like=llama_7bb"], "llama_7bb"),
        ([run, files[0], "head.modes=3"], "was trained with another model"),
        ([CONFIGS / "argoverse1_vectornet_llama.yaml", "a.csv", "block=identity"], "run folder"),
    ):
        code, _, err = tool(capsys, "predict", *arguments)
        assert code == 1
        assert message in err


@pytest.mark.parametrize("probe", ["before", "after"])
def test_visualize_draws_token_activation_over_the_maps(trained, tmp_path, capsys, probe):
    run, _ = trained
    choice = ["--activation", "frequency", "--probe", probe, "--scenes", 3, "--out", tmp_path]
    code, out, err = tool(capsys, "visualize", run, *choice)
    assert code == 0, err
    assert out.strip().endswith("activation.html")
    assert f"Token activation (frequency) {probe} the bridge" in (tmp_path / "activation.html").read_text()
