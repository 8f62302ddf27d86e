import json

import numpy as np
import pytest
from forecast_files import path_of, write_argoverse1_map, write_argoverse1_split, write_argoverse2_split

from geo_lm4ve.config import ConfigError
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.argoverse.argoverse2 import ARGOVERSE2
from geo_lm4ve.traffic.forecast.predict import predict_scenes
from geo_lm4ve.traffic.scoring.scores import score_predictions
from geo_lm4ve.traffic.submissions import read_argoverse1

OPTIONS = {
    "encoder": "kinematic", "block": "identity", "bridge": "linear", "head": "constant_velocity", "task": "forecast",
    "optim": "vectornet", "run": "default",
}  # fmt: skip


def _experiment(root, data="argoverse1", **changed):
    parts = {group: load_option(group, name) for group, name in {**OPTIONS, "data": data, **changed}.items()}
    parts["data"].root = str(root)
    return ExperimentConfig(name="predict", **parts)


def test_scenes_without_future(tmp_path):
    """A test split: forecasts and a page, although nothing can be scored."""
    split = write_argoverse1_split(tmp_path / "test_obs", steps=20)
    write_argoverse1_map(tmp_path)
    files = sorted((split / "data").glob("*.csv"), key=lambda path: int(path.stem))
    page = tmp_path / "page.html"
    forecasts = predict_scenes(_experiment(tmp_path), None, files, out=tmp_path / "out", gallery=page)
    assert forecasts.scenes == ["0", "10", "20", "30"]
    for scene in range(4):
        np.testing.assert_allclose(forecasts.positions[scene, 0], path_of(scene, 50)[20:], atol=1e-2)
    written = read_argoverse1(tmp_path / "out" / "forecasts.h5")
    np.testing.assert_allclose(written.positions, forecasts.positions, atol=1e-3)
    scenes = json.loads(page.read_text().split('id="data">')[1].split("</script>")[0])["scenes"]
    assert [scene["truth"] for scene in scenes] == [False] * 4


def test_argoverse2_from_files_to_scores(tmp_path):
    split = write_argoverse2_split(tmp_path / "val")
    predict_scenes(_experiment(tmp_path, "argoverse2"), None, sorted(split.iterdir()), out=tmp_path)
    results = score_predictions(tmp_path / "forecasts.parquet", split, ARGOVERSE2).results
    assert results["metrics"]["K=1"]["minFDE"] < 0.1
    assert results["samples"] == 3


def test_refusals(tmp_path):
    with pytest.raises(DataError, match="no files"):
        predict_scenes(_experiment(tmp_path), None, [])
    with pytest.raises(ConfigError, match="none were given: pass a run folder"):
        predict_scenes(_experiment(tmp_path, encoder="vectornet_small", head="vectornet"), None, [tmp_path / "1.csv"])
    with pytest.raises(ConfigError, match="no traffic scenes"):
        predict_scenes(_experiment(tmp_path, "synthetic_solids"), None, [tmp_path / "1.csv"])
