"""The forecasting task: loss, metrics, records, and the files it leaves behind, on small splits in both layouts."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from forecast_files import path_of, write_argoverse1_map, write_argoverse1_split, write_argoverse2_split
from PIL import Image

from geo_lm4ve.config import ConfigError
from geo_lm4ve.parts.data import DataError, DataInfo, DataSource
from geo_lm4ve.testing import rounding_bound
from geo_lm4ve.traffic.argoverse.argoverse1 import ARGOVERSE1, Argoverse1Config
from geo_lm4ve.traffic.argoverse.argoverse2 import ARGOVERSE2
from geo_lm4ve.traffic.encoders.kinematic import KinematicEncoderConfig
from geo_lm4ve.traffic.forecast import report
from geo_lm4ve.traffic.forecast.records import forecast_of, forecasts_of, table_of
from geo_lm4ve.traffic.forecast.task import ForecastConfig, known_future
from geo_lm4ve.traffic.heads.kinematic import ConstantVelocityConfig
from geo_lm4ve.traffic.heads.trajectories import AgentTrajectories, Trajectories
from geo_lm4ve.traffic.protocol import Protocol
from geo_lm4ve.traffic.scoring.scores import score_predictions
from geo_lm4ve.traffic.submissions import read_argoverse1
from geo_lm4ve.traffic.viz.choice import middles


@pytest.fixture
def data(tmp_path):
    root = tmp_path / "argoverse1"
    write_argoverse1_split(root / "val")
    write_argoverse1_map(root)
    return Argoverse1Config(root=str(root)).build()


def batch_of(data):
    return next(iter(data.loader("val", batch_size=8, train=False, seed=0).batches(0)))


def forecast(batch, shift=0.0):
    """The truth, moved aside by ``shift``, with probability 0.75, and a mode that stands still."""
    future = batch.graph["agent"].future[batch.targets]
    moved = future + torch.tensor([0.0, shift])
    positions = torch.stack([moved, torch.zeros_like(future)], 1)
    return Trajectories(positions, torch.tensor([[0.75, 0.25]]).expand(len(batch), -1))


def test_metrics_and_records_agree(data):
    task, batch = ForecastConfig().build(data), batch_of(data)
    assert task.outputs == 30
    output = forecast(batch, shift=1.0)
    metrics = task.metrics()
    metrics.update(output, batch)
    values = metrics.compute(metrics.state())
    assert values["minFDE_6"] == pytest.approx(1, abs=1e-5)
    assert values["brier-minFDE_6"] == pytest.approx(1 + 0.0625, abs=1e-5)
    assert values["MR_1"] == 0
    assert not {"loss", "DAC_6"} & values.keys()
    records = task.records(output, batch)
    table = table_of(records)
    for name in ("minADE_1", "minFDE_6", "p-minFDE_6"):
        assert np.mean(table[name]) == pytest.approx(values[name], rel=rounding_bound(torch.float32))
    assert table["scene"] == ["0", "10", "20", "30"]
    assert table["city"] == ["PIT", "MIA", "PIT", "MIA"]
    assert [record["index"] for record in records] == [0, 1, 2, 3]
    json.dumps(records)


def test_records_hold_city_coordinates(data):
    task, batch = ForecastConfig().build(data), batch_of(data)
    records = task.records(forecast(batch), batch)
    for scene, record in enumerate(records):
        np.testing.assert_allclose(forecast_of(record)[0], path_of(scene, 50)[20:], atol=1e-3)
    forecasts = forecasts_of(records)
    assert forecasts.positions.shape == (4, 2, 30, 2)
    assert forecasts.tracks == ["agent"] * 4


def test_drivable_area_compliance_where_rasters_are(data, monkeypatch):
    from geo_lm4ve.traffic.argoverse.argoverse1_map import DrivableRaster

    pixels = np.zeros((400, 400))
    pixels[:, :120] = 1
    monkeypatch.setattr(data, "surface", lambda scene, city: DrivableRaster(pixels, np.eye(3)))
    batch = batch_of(data)
    task = ForecastConfig().build(data)
    metrics = task.metrics()
    metrics.update(forecast(batch), batch)
    values = metrics.compute(metrics.state())
    records = task.records(forecast(batch), batch)
    assert values["DAC_6"] == pytest.approx(np.mean([record["DAC_6"] for record in records]))
    assert 0 < values["DAC_6"] < 1
    off = ForecastConfig(drivable_area=False).build(data)
    assert "DAC_6" not in off.records(forecast(batch), batch)[0]


def test_loss_of_a_head_that_trains(data):
    batch = batch_of(data)
    agents = batch.graph["agent"]
    rows = torch.arange(len(agents.future))
    perfect = AgentTrajectories(
        agents.future[:, None].repeat(1, 2, 1, 1), torch.tensor([[9.0, 0.0]]).expand(len(rows), -1), rows
    )
    output = Trajectories.of_targets(perfect, batch.targets)
    task = ForecastConfig().build(data)
    loss = task.loss(output, batch)
    assert loss.total.item() == pytest.approx(float(np.log1p(np.exp(-9.0))), rel=1e-3)
    assert set(loss.parts) == {"modes", "scores"}
    metrics = task.metrics()
    metrics.update(output, batch)
    assert metrics.compute(metrics.state())["loss"] == pytest.approx(loss.total.item())
    off = perfect.positions.clone()
    off[rows != batch.targets[0]] += 100
    wrong = Trajectories.of_targets(AgentTrajectories(off, perfect.logits, rows), batch.targets)
    everyone, alone = (ForecastConfig(targets_only=only).build(data).loss(wrong, batch) for only in (False, True))
    assert alone.total < everyone.total
    with pytest.raises(ConfigError, match="nothing to train"):
        task.loss(forecast(batch), batch)


def test_errors_of_a_decoder_without_modes(data):
    task, batch = ForecastConfig().build(data), batch_of(data)
    output = forecast(batch)
    guess = output.positions[:, 0] + torch.tensor([3.0, 4.0]) * torch.linspace(0, 1, 30)[:, None]
    metrics = task.metrics()
    metrics.update(dataclasses.replace(output, single=guess), batch)
    values = metrics.compute(metrics.state())
    assert values["single_FDE"] == pytest.approx(5, abs=1e-4)
    assert values["single_ADE"] == pytest.approx(2.5, abs=1e-4)
    assert values["minFDE_1"] == pytest.approx(0, abs=1e-4)


def test_sums_of_two_halves_are_the_whole(data):
    task, batch = ForecastConfig().build(data), batch_of(data)
    split = data.split("val")
    halves = [split.batch(torch.tensor(rows)) for rows in ([0, 1], [2, 3])]
    whole, parts = task.metrics(), [task.metrics(), task.metrics()]
    whole.update(forecast(batch, 0.5), batch)
    for metrics, half in zip(parts, halves):
        metrics.update(forecast(half, 0.5), half)
    first, second = (metrics.state() for metrics in parts)
    summed = {name: first[name] + second[name] for name in first}
    assert whole.compute(summed) == pytest.approx(whole.compute(whole.state()), rel=rounding_bound(torch.float32))


def test_the_protocol_can_be_the_other_one(data):
    task = ForecastConfig(protocol=Protocol.av2).build(data)
    assert task.protocol() == {"protocol": "av2"}
    batch = batch_of(data)
    assert "minADE@bestFDE_6" in task.records(forecast(batch), batch)[0]


class Solids(DataSource):
    info = DataInfo("solids", ("cone",), {"train": 1})

    def loader(self, split, **_):
        raise NotImplementedError


def test_other_data_and_withheld_futures_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"solids is none: choose another data= .* a Layout"):
        ForecastConfig().build(Solids())
    root = tmp_path / "argoverse1"
    write_argoverse1_split(root / "test_obs", steps=20)
    write_argoverse1_map(root)
    source = Argoverse1Config(root=str(root)).build()
    batch = next(iter(source.loader("test", batch_size=2, train=False, seed=0).batches(0)))
    with pytest.raises(DataError, match="future of scene 0 is withheld"):
        known_future(batch)


def test_the_report_leaves_files_that_the_evaluator_scores_alike(data, tmp_path):
    task, batch = ForecastConfig(pictures=3).build(data), batch_of(data)
    tokens = KinematicEncoderConfig().build().stages["state"](batch)
    output = ConstantVelocityConfig().build(4, 30)(tokens)
    records = task.records(output, batch)
    metrics = task.metrics()
    metrics.update(output, batch)
    results = {
        "experiment": "cv", "block": "identity", "data": "four scenes", "protocol": {"split": "val", "protocol": "av1"},
        "metrics": metrics.compute(metrics.state()),
    }  # fmt: skip
    out = tmp_path / "run"
    out.mkdir()
    assert {path.name for path in task.files(out, results, records)} == {path.name for path in out.iterdir()}
    task.report(out, results, records, data)
    expected = {
        "forecasts.h5", "scores.json", "scenes.csv", "worst.png", "spread.png", "worst.gif", "scenes.html",
        "report.html",
    }  # fmt: skip
    assert {path.name for path in out.iterdir()} - {"worst.mp4"} == expected
    own = json.loads((out / "scores.json").read_text())
    theirs = score_predictions(out / "forecasts.h5", tmp_path / "argoverse1" / "val", ARGOVERSE1).results
    for k in ("K=1", "K=6"):
        assert own["metrics"][k] == pytest.approx(theirs["metrics"][k], abs=1e-3)
    assert own["breakdown"].keys() == theirs["breakdown"].keys()
    assert read_argoverse1(out / "forecasts.h5").scenes == ["0", "10", "20", "30"]


def test_sheets_show_ranks_of_the_whole_split(tmp_path, monkeypatch):
    """Evenly spaced ranks do as well as the split, whatever scenes the interactive page shows."""
    root = tmp_path / "argoverse1"
    write_argoverse1_split(root / "val", scenes=40)
    write_argoverse1_map(root)
    data = Argoverse1Config(root=str(root)).build()
    batch = data.split("val").batch(torch.arange(40))
    task, output = ForecastConfig(pictures=24).build(data), forecast(batch)
    # Not in the order of the files, and mild for most: 0.01 to 16 m.
    errors = 0.01 * (torch.arange(40) * 17 % 40 + 1.0) ** 2
    output.positions[:, :, :, 1] += errors[:, None, None]
    records = task.records(output, batch)
    sheets = {}

    def keep(path, scenes, title, *, labels=(), **_):
        Image.new("RGB", (8, 8)).save(path)
        sheets[path.name] = [scene.numbers["minFDE_6"] for scene in scenes], list(labels)

    monkeypatch.setattr(report, "scenes_png", keep)
    monkeypatch.setattr(report, "animate", lambda *_, **__: None)
    results = {
        "experiment": "shifted", "block": "identity", "data": "forty scenes",
        "protocol": {"split": "val", "protocol": "av1"}, "metrics": {},
    }  # fmt: skip
    task.report(tmp_path, results, records, data)
    ordered = sorted(record["minFDE_6"] for record in records)
    shown, labels = sheets["spread.png"]
    assert labels == [f"rank {place + 1} of 40" for place in middles(40, 12)]
    assert shown == [ordered[place] for place in middles(40, 12)]
    assert np.mean(shown) == pytest.approx(np.mean(ordered), rel=0.02)
    shown, labels = sheets["worst.png"]
    assert (shown, labels[0], labels[-1]) == (ordered[:-13:-1], "rank 40 of 40", "rank 29 of 40")


def test_argoverse2_leaves_a_parquet_file(tmp_path):
    from geo_lm4ve.traffic.forecast.report import write_submission
    from geo_lm4ve.traffic.submissions import read_argoverse2

    split = write_argoverse2_split(tmp_path / "val")
    future = np.stack([path_of(scene, 110)[50:] for scene in range(3)])[:, None]
    records = [
        {"scene": f"s{n}", "track": "7", "probabilities": [1.0], "shape": [1, 60], "positions": packed(track)}
        for n, track in enumerate(future)
    ]
    path = write_submission(tmp_path, forecasts_of(records), ARGOVERSE2)
    assert path.name == "forecasts.parquet"
    assert read_argoverse2(path).keys() == [("s0", "7"), ("s1", "7"), ("s2", "7")]
    assert score_predictions(path, split, ARGOVERSE2).results["metrics"]["K=6"]["minFDE"] < 1e-3


def packed(track):
    import base64

    return base64.b64encode(track.astype("<f4").tobytes()).decode()
