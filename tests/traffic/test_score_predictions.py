import csv
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from forecast_files import path_of, write_argoverse1_map, write_argoverse1_split, write_argoverse2_split

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.parts.scorer import main
from geo_lm4ve.traffic.argoverse.argoverse1 import ARGOVERSE1
from geo_lm4ve.traffic.argoverse.argoverse2 import ARGOVERSE2
from geo_lm4ve.traffic.metrics.probabilities import ForecastError
from geo_lm4ve.traffic.scoring.scores import score_predictions
from geo_lm4ve.traffic.submissions import Forecasts, write_argoverse1, write_argoverse2

AV1, AV2 = ARGOVERSE1, ARGOVERSE2


@pytest.fixture
def argoverse1(tmp_path):
    """A split of four sequences, and forecasts whose likely mode is 1 m off and whose other one is perfect."""
    split = write_argoverse1_split(tmp_path / "val")
    future = np.stack([path_of(scene, 50)[20:] for scene in range(4)])
    positions = np.stack([future + np.array([0, 1]), future], axis=1)
    forecasts = Forecasts([str(10 * scene) for scene in range(4)], None, positions, np.tile([0.75, 0.25], (4, 1)))
    write_argoverse1(tmp_path / "val.h5", forecasts)
    return split, tmp_path / "val.h5", forecasts


@pytest.fixture
def argoverse2(tmp_path):
    """A split of three scenarios, with forecasts of the focal and the scored track."""
    split = write_argoverse2_split(tmp_path / "val")
    keys = [(f"s{scene}", track) for scene in range(3) for track in ("7", "8")]
    future = np.stack([path_of(int(scene[1]), 110)[50:] for scene, _ in keys])
    future[1::2, :, 0] += 9
    positions = future[:, None] + np.array([[0, 3.0], [0, 0]])[:, None]
    forecasts = Forecasts([key[0] for key in keys], [key[1] for key in keys], positions, np.tile([0.6, 0.4], (6, 1)))
    write_argoverse2(tmp_path / "val.parquet", forecasts)
    return split, tmp_path / "val.parquet", forecasts


def test_argoverse1(argoverse1, tmp_path):
    split, file, _ = argoverse1
    scores = score_predictions(file, split, AV1, out=tmp_path / "scores.json")
    results = json.loads((tmp_path / "scores.json").read_text())
    assert results == scores.results
    assert results["metrics"]["K=1"]["minFDE"] == pytest.approx(1, abs=1e-4)
    assert results["metrics"]["K=6"]["minADE"] == pytest.approx(0, abs=1e-4)
    assert results["metrics"]["K=6"]["brier-minFDE"] == pytest.approx(0.75**2, abs=1e-4)
    assert results["samples"] == results["split_size"] == 4
    assert results["protocol"] == "av1"
    assert results["breakdown"]["city"]["MIA"]["samples"] == 2
    assert results["breakdown"]["turn"] == {"straight": {"samples": 4, **results["metrics"]}}
    assert scores.table["num_agents"] == [2] * 4
    assert any("no DAC" in note for note in results["notes"])


def test_argoverse2(argoverse2):
    split, file, _ = argoverse2
    results = score_predictions(file, split, AV2, worlds=True, drivable_area=True, processes=2).results
    assert results["metrics"]["K=1"]["minFDE"] == pytest.approx(3)
    assert results["metrics"]["K=1"]["MR"] == 1
    assert results["metrics"]["K=6"]["minADE@bestFDE"] == pytest.approx(0)
    assert results["metrics"]["K=6"]["DAC"] == 1
    assert results["multi_world"]["K=6"]["avgBrierMinFDE"] == pytest.approx(0.36)
    assert results["multi_world"]["K=1"]["actorMR"] == 1
    assert any("3 forecasts belong to no target" in note for note in results["notes"])


def test_drivable_area_of_argoverse1_is_found_beside_the_split(argoverse1):
    split, file, _ = argoverse1
    maps = split.parent / "map_files"
    maps.mkdir()
    for city, number, column in (("PIT", 10314, 400), ("MIA", 10316, 100)):
        raster = np.zeros((400, 400))
        raster[:, :column] = 1
        np.save(maps / f"{city}_{number}_driveable_area_mat_2019_05_28.npy", raster)
        np.save(maps / f"{city}_{number}_npyimage_to_city_se2_2019_05_28.npy", np.eye(3))
    assert score_predictions(file, split, AV1).results["metrics"]["K=6"]["DAC"] == 0.5


def test_missing_and_unknown_scenes_are_named(argoverse1, tmp_path):
    split, _, forecasts = argoverse1
    some = forecasts.rows(np.array([0, 2]))
    write_argoverse1(tmp_path / "some.h5", Forecasts([*some.scenes[:1], "777"], None, *_arrays(some)))
    with pytest.raises(ForecastError, match=r"3 of 4 scenes are not forecast: 10, 20, 30; 1 forecast .* split: 777"):
        score_predictions(tmp_path / "some.h5", split, AV1)
    results = score_predictions(tmp_path / "some.h5", split, AV1, allow_missing=True).results
    assert results["samples"] == 1
    assert results["missing"] == {"count": 3, "names": ["10", "20", "30"]}
    assert results["extra"] == {"count": 1, "names": ["777"]}
    write_argoverse1(tmp_path / "none.h5", Forecasts(["776", "777"], None, *_arrays(some)))
    with pytest.raises(ForecastError, match="none of the 4 scenes"):
        score_predictions(tmp_path / "none.h5", split, AV1, allow_missing=True)


def _arrays(forecasts):
    return forecasts.positions, forecasts.probabilities


def test_a_focal_track_without_forecast_is_missing(argoverse2, tmp_path):
    split, _, forecasts = argoverse2
    write_argoverse2(tmp_path / "some.parquet", forecasts.rows(np.array([0, 1, 3, 4])))
    with pytest.raises(ForecastError, match="s1 track 7"):
        score_predictions(tmp_path / "some.parquet", split, AV2)
    results = score_predictions(tmp_path / "some.parquet", split, AV2, allow_missing=True).results
    assert results["missing"]["names"] == ["s1 track 7"]
    assert results["samples"] == 2
    with pytest.raises(ForecastError, match="scored tracks are not forecast: s2 track 8"):
        score_predictions(tmp_path / "some.parquet", split, AV2, allow_missing=True, worlds=True)


def test_the_tracks_of_a_world_share_its_probability(argoverse2, tmp_path):
    split, _, forecasts = argoverse2
    forecasts.probabilities[1] = [0.4, 0.6]
    write_argoverse2(tmp_path / "odd.parquet", forecasts)
    with pytest.raises(ForecastError, match="s0 track 8 has other probabilities"):
        score_predictions(tmp_path / "odd.parquet", split, AV2, worlds=True)


def test_weights_need_to_be_normalized_on_purpose(argoverse1, tmp_path):
    split, _, forecasts = argoverse1
    weights = Forecasts(forecasts.scenes, None, forecasts.positions, forecasts.probabilities * 8)
    write_argoverse1(tmp_path / "weights.h5", weights)
    with pytest.raises(ForecastError, match=r"leave 0\.\.1.*softmax.* --normalize"):
        score_predictions(tmp_path / "weights.h5", split, AV1)
    light = Forecasts(forecasts.scenes, None, forecasts.positions, forecasts.probabilities / 2)
    write_argoverse1(tmp_path / "light.h5", light)
    with pytest.raises(ForecastError, match=r"do not sum to 1.* --normalize") as refused:
        score_predictions(tmp_path / "light.h5", split, AV1)
    assert refused.value.__notes__ == [f"while the forecasts of {tmp_path / 'light.h5'} were scored"]
    results = score_predictions(tmp_path / "weights.h5", split, AV1, normalize=True).results
    assert results["metrics"]["K=6"]["brier-minFDE"] == pytest.approx(0.75**2, abs=1e-4)
    logits = Forecasts(forecasts.scenes, None, forecasts.positions, forecasts.probabilities - 0.5)
    write_argoverse1(tmp_path / "logits.h5", logits)
    with pytest.raises(ForecastError, match="softmax of raw scores"):
        score_predictions(tmp_path / "logits.h5", split, AV1, normalize=True)


def test_forecasts_in_another_frame_are_noticed(argoverse1, tmp_path):
    split, _, forecasts = argoverse1
    local = Forecasts(forecasts.scenes, None, forecasts.positions - [100.0, 200.0], None)
    write_argoverse1(tmp_path / "local.h5", local)
    notes = score_predictions(tmp_path / "local.h5", split, AV1).results["notes"]
    assert "100.0% of the trajectories start more than 10 m" in notes[0]
    assert any("no probabilities" in note for note in notes)


def test_a_withheld_future_and_wrong_folders(argoverse1, tmp_path):
    _, file, _ = argoverse1
    with pytest.raises(DataError, match="holds no future"):
        score_predictions(file, write_argoverse1_split(tmp_path / "test_obs", steps=20), AV1)
    with pytest.raises(DataError, match="no folder"):
        score_predictions(file, tmp_path / "nowhere", AV1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"layout of Argoverse 1 \(data/<sequence>.csv\)"):
        score_predictions(file, tmp_path / "empty", AV1)
    with pytest.raises(DataError, match="--maps"):
        score_predictions(file, tmp_path / "val", AV1, maps=tmp_path / "nowhere")
    with pytest.raises(ForecastError, match="Argoverse 2 protocol only"):
        score_predictions(file, tmp_path / "val", AV1, worlds=True)


def test_command_line(argoverse1, tmp_path, capsys):
    split, file, _ = argoverse1
    arguments = ["--predictions", str(file), "--data", str(split), "--protocol", "av1"]
    assert main([*arguments, "--out", str(tmp_path / "s.json"), "--per-scene", str(tmp_path / "s.csv")]) == 0
    printed = capsys.readouterr().out
    assert "minFDE" in printed
    assert "straight" in printed
    with (tmp_path / "s.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [row["scene"] for row in rows] == ["0", "10", "20", "30"]
    assert float(rows[0]["minFDE_1"]) == pytest.approx(1, abs=1e-4)
    assert main([*arguments, "--per-scene", str(tmp_path / "s.parquet")]) == 0
    assert pq.read_table(tmp_path / "s.parquet").num_rows == 4
    assert json.loads((tmp_path / "s.json").read_text())["metrics"]["K=6"].keys() >= {"minADE", "brier-minFDE"}


def test_gallery(argoverse1, tmp_path, capsys):
    split, file, _ = argoverse1
    page = tmp_path / "gallery.html"
    arguments = ["--predictions", str(file), "--data", str(split), "--protocol", "av1", "--gallery", str(page)]
    assert main(arguments) == 1
    assert "map" in capsys.readouterr().err
    write_argoverse1_map(split.parent)
    assert main(arguments) == 0
    scenes = json.loads(page.read_text().split('id="data">')[1].split("</script>")[0])["scenes"]
    assert [scene["name"] for scene in scenes] == ["0", "10", "20", "30"]
    assert scenes[0]["probabilities"] == [0.75, 0.25]
    assert scenes[0]["errors"] == pytest.approx([1, 0], abs=0.01)
    assert scenes[0]["lanes"]


def test_command_line_errors(argoverse1, tmp_path, capsys):
    split, file, _ = argoverse1
    arguments = ["--data", str(split), "--protocol", "av1"]
    assert main(["--predictions", str(tmp_path / "no.h5"), *arguments]) == 1
    assert "error: no file" in capsys.readouterr().err
    assert main(["--predictions", str(file), *arguments, "--per-scene", "x.txt"]) == 1
    assert ".csv or .parquet" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--predictions", str(file)])
    assert main(["--predictions", "--help"]) == 0
    assert "argoverse_forecasting" in capsys.readouterr().out


def test_constant_velocity_on_the_real_scenario(real_data, tmp_path):
    folder = real_data / "argoverse2_scenario"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    from geo_lm4ve.traffic.argoverse.argoverse2_parquet import read_scenario

    scenario = read_scenario(next(folder.glob("*/scenario_*.parquet")))
    now, step = scenario.positions[0, 49], scenario.positions[0, 49] - scenario.positions[0, 48]
    line = (now + step * np.arange(1, 61)[:, None])[None, None]
    forecasts = Forecasts([scenario.scene_id], scenario.track_ids[:1], line, np.ones((1, 1)))
    write_argoverse2(tmp_path / "cv.parquet", forecasts)
    scores = score_predictions(tmp_path / "cv.parquet", folder, AV2, drivable_area=True).results["metrics"]["K=1"]
    assert scores["minADE"] == pytest.approx(4.9472, abs=1e-4)
    assert scores["minFDE"] == pytest.approx(11.2013, abs=1e-4)
    assert scores["DAC"] == 1
