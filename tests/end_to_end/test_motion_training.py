"""The shipped forecasting experiments train and score: on made-up traffic, with small parts and a random block."""

import json

import pytest
from test_commands import tool

from geo_lm4ve.options import CONFIGS

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
