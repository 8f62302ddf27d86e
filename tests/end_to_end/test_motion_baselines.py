"""The baselines as a user runs them: one command each, no training, both layouts, on made-up traffic."""

import json

import pytest
from small_runs import tool

from geo_lm4ve.options import CONFIGS
from geo_lm4ve.traffic.argoverse.argoverse1 import ARGOVERSE1
from geo_lm4ve.traffic.argoverse.argoverse2 import ARGOVERSE2
from geo_lm4ve.traffic.scoring.scores import score_predictions

SOURCES = {"argoverse1": "synthetic_traffic", "argoverse2": "synthetic_traffic_av2"}


@pytest.fixture(scope="module")
def traffic(tmp_path_factory):
    """Folders of made-up traffic, made on first use."""
    return tmp_path_factory.mktemp("traffic")


@pytest.mark.parametrize("head", ["constant_velocity", "constant_turn_rate", "lane_follower"])
@pytest.mark.parametrize("layout", SOURCES)
def test_a_baseline_is_one_command(layout, head, traffic, tmp_path, capsys):
    root = traffic / layout
    pictures = head == "lane_follower"
    code, _, err = tool(
        capsys, "evaluate", CONFIGS / f"{layout}_{head}.yaml", f"data={SOURCES[layout]}", f"data.root={root}",
        "data.train=1", "data.val=6", f"run.root={tmp_path}", f"run.pictures={str(pictures).lower()}",
    )  # fmt: skip
    assert code == 0, err
    (run,) = (tmp_path / f"{layout}_{head}").iterdir()
    results = json.loads((run / "results.json").read_text())
    assert results["samples"] == 6
    assert results["synthetic"]
    assert results["parameters"] == {"trainable": 0, "frozen": 0}
    assert 0 < results["metrics"]["minFDE_6"] <= results["metrics"]["minFDE_1"]
    if pictures:
        files = ARGOVERSE1 if layout == "argoverse1" else ARGOVERSE2
        scores = score_predictions(run / files.submission, root / "val", files).results["metrics"]["K=6"]
        assert scores["minADE"] == pytest.approx(results["metrics"]["minADE_6"], abs=1e-3)
        assert "synthetic data" in (run / "scenes.html").read_text()
