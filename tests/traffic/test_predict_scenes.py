import json

import numpy as np
import pytest
from forecast_files import path_of, write_argoverse1_map, write_argoverse1_split, write_argoverse2_split

from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine import predict
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
    predicted = predict_scenes(_experiment(tmp_path), None, files, out=tmp_path / "out", gallery=page)
    forecasts = predicted.forecasts
    assert not predicted.left_out
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


def _place(root, shift=0.0, city="PIT", maps=True):
    """A folder of one's own: scenes ``shift`` metres east of those of ``forecast_files``, in one city."""
    split = write_argoverse1_split(root / "seen")
    for path in (split / "data").glob("*.csv"):
        head, *rows = path.read_text().splitlines()
        cells = [row.split(",") for row in rows]
        moved = [[t, i, kind, f"{float(x) + shift:.4f}", y, city] for t, i, kind, x, y, _ in cells]
        path.write_text("\n".join([head, *map(",".join, moved)]))
    if maps:
        write_argoverse1_map(root)
        for path in (root / "map_files").glob("*.xml"):
            text = path.read_text()
            for node in range(10):
                text = text.replace(f'x="{90 + 5 * node}"', f'x="{90 + 5 * node + shift}"')
            path.write_text(text)
    return split


def test_the_map_beside_the_scenes_comes_before_that_of_the_training_data(tmp_path):
    write_argoverse1_map(tmp_path)
    away = _place(tmp_path / "away", shift=5000.0)
    predicted = predict_scenes(_experiment(tmp_path), None, [away], gallery=tmp_path / "page.html")
    assert len(predicted.forecasts) == 4
    assert not predicted.left_out
    bare = _place(tmp_path.parent / f"{tmp_path.name}_bare", maps=False)
    assert len(predict_scenes(_experiment(tmp_path), None, [bare]).forecasts) == 4, "the map of data.root"


def test_scenes_that_cannot_be_read_are_left_out_and_named(tmp_path):
    split = write_argoverse1_split(tmp_path / "val")
    write_argoverse1_map(tmp_path)
    files = sorted((split / "data").glob("*.csv"), key=lambda path: int(path.stem))
    files[1].write_text("TIMESTAMP,TRACK_ID\n")
    strange = _place(tmp_path / "strange", city="ATX", maps=False) / "data" / "0.csv"
    (tmp_path / "empty").mkdir()
    given = [files[0], files[1], strange, files[2], tmp_path / "empty", tmp_path / "none.csv"]
    predicted = predict_scenes(_experiment(tmp_path), None, given, out=tmp_path / "out", gallery=tmp_path / "page.html")
    assert predicted.forecasts.scenes == read_argoverse1(tmp_path / "out" / "forecasts.h5").scenes == ["0", "20"]
    assert predicted.files == [files[0], files[2]]
    reasons = dict(zip(("empty", "damaged", "strange", "none"), predicted.left_out, strict=True))
    for name, path in (("empty", tmp_path / "empty"), ("damaged", files[1]), ("none", tmp_path / "none.csv")):
        assert reasons[name].startswith(str(path))
    assert str(strange) in reasons["strange"]
    assert "no map of its city 'ATX' in" in reasons["strange"]
    assert "set data.root=" in reasons["strange"]
    assert "no scene in this folder" in reasons["empty"]
    with pytest.raises(DataError, match=r"nothing can be predicted, for these reasons:\n.*ATX"):
        predict_scenes(_experiment(tmp_path), None, [strange])


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'shape': (10**9, 10**9), "]
)
def test_a_damaged_raster_costs_the_ground_of_the_pictures_and_no_forecast(tmp_path, content, capsys):
    """It used to end the command after all scenes had been forecast."""
    split = write_argoverse1_split(tmp_path / "val")
    write_argoverse1_map(tmp_path)
    for name in ("driveable_area_mat", "npyimage_to_city_se2"):
        (tmp_path / "map_files" / f"PIT_10314_{name}_2019_05_28.npy").write_bytes(content)
    page = tmp_path / "page.html"
    predicted = predict_scenes(_experiment(tmp_path), None, [split], out=tmp_path / "out", gallery=page)
    assert len(predicted.forecasts) == 4
    assert page.is_file()
    said = capsys.readouterr().err
    assert said.count("pictures show no drivable area") == 1
    assert "driveable_area_mat_2019_05_28.npy is cut off, damaged" in said


def test_refusals(tmp_path):
    with pytest.raises(DataError, match="no files"):
        predict_scenes(_experiment(tmp_path), None, [])
    with pytest.raises(ConfigError, match="none were given: pass a run folder"):
        predict_scenes(_experiment(tmp_path, encoder="vectornet_small", head="vectornet"), None, [tmp_path / "1.csv"])
    with pytest.raises(ConfigError, match="no traffic scenes"):
        predict_scenes(_experiment(tmp_path, "synthetic_solids"), None, [tmp_path / "1.csv"])


def test_a_scene_given_twice_counts_once(tmp_path):
    split = write_argoverse1_split(tmp_path / "val")
    write_argoverse1_map(tmp_path)
    last = split / "data" / "30.csv"
    predicted = predict_scenes(_experiment(tmp_path), None, [last, split, split / "data", last])
    assert predicted.forecasts.scenes == ["30", "0", "10", "20"]
    (scenario, *_) = sorted(write_argoverse2_split(tmp_path / "av2" / "val").iterdir())
    given = [next(scenario.glob("scenario_*.parquet")), scenario]
    assert len(predict_scenes(_experiment(tmp_path, "argoverse2"), None, given).forecasts) == 1


def test_scenes_are_forecast_in_chunks(tmp_path, monkeypatch):
    split = write_argoverse1_split(tmp_path / "val")
    write_argoverse1_map(tmp_path)
    whole = predict_scenes(_experiment(tmp_path), None, [split])
    monkeypatch.setattr(predict, "BATCH", 3)
    parts = predict_scenes(_experiment(tmp_path), None, [split], gallery=tmp_path / "page.html")
    assert parts.files == whole.files
    np.testing.assert_array_equal(parts.forecasts.positions, whole.forecasts.positions)
