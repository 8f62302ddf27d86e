"""Every motion data set is a layout: shipped ones keep their promises, and a third one is one file."""

import dataclasses
import json
import pickle

import pytest
import torch
from toy_layout import TOY, ToyScenes, write_split

from geo_lm4ve.config import make, registered
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.scorer import SCORERS, main, register_scorer
from geo_lm4ve.traffic.argoverse.argoverse2 import ARGOVERSE2
from geo_lm4ve.traffic.encoders.kinematic import KinematicEncoderConfig
from geo_lm4ve.traffic.forecast.task import ForecastConfig
from geo_lm4ve.traffic.heads.kinematic import ConstantVelocityConfig
from geo_lm4ve.traffic.protocol import Protocol
from geo_lm4ve.traffic.scoring.scorer import ForecastScorer
from geo_lm4ve.traffic.source import SceneConfig

CONFIGS = {name: config for name, config in registered("data").items() if issubclass(config, SceneConfig)}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_shows_scenes_as_its_layout_does(name):
    """A dataclass base in between must not put its own defaults over those of the layout."""
    config = CONFIGS[name](root="anywhere")
    assert config.view == config.layout.view()
    assert make("data", name, {"root": "anywhere"}) == config


def test_views_are_not_shared():
    first, second = (CONFIGS["argoverse2"]() for _ in range(2))
    first.lanes.radius = 10.0
    assert second.lanes.radius == ARGOVERSE2.view().lanes.radius == 150.0


@pytest.mark.parametrize("name", CONFIGS)
def test_layouts_go_to_worker_processes(name):
    layout = CONFIGS[name].layout
    copy = pickle.loads(pickle.dumps(layout))
    assert type(copy) is type(layout)
    assert (copy.history, copy.future, copy.protocol) == (layout.history, layout.future, layout.protocol)


@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_protocol_is_its_name(protocol):
    """Files, command lines and configs hold the name; everything else is looked up."""
    assert Protocol(protocol.name) is Protocol(protocol.value) is protocol
    assert pickle.loads(pickle.dumps(protocol)) is protocol
    assert make("task", "forecast", {"protocol": protocol.name}).protocol is protocol
    assert dataclasses.replace(make("task", "forecast"), protocol=protocol).protocol is protocol


@pytest.fixture
def toys(tmp_path):
    """The root of a data set in a layout that the package has never heard of."""
    for split in ("train", "val"):
        write_split(tmp_path / "toys" / split)
    return tmp_path / "toys"


def test_a_third_layout_is_trained_on_and_scored(toys):
    """From files over the cache to metrics, by the rules that the layout names."""
    data = ToyScenes(root=str(toys)).build()
    assert data.info.title == "toy scenes (3 train, 3 val)"
    task = ForecastConfig().build(data)
    assert (task.layout, task.rules, task.outputs) == (TOY, Protocol.av1, 6)
    batch = data.split("val").batch(torch.arange(3))
    output = ConstantVelocityConfig().build(4, task.outputs)(KinematicEncoderConfig().build().stages["state"](batch))
    metrics = task.metrics()
    metrics.update(output, batch)
    assert metrics.compute(metrics.state())["minFDE_1"] < 1e-4
    results = {"data": data.info.title, "protocol": {"split": "val"}}
    assert task.files(toys, results, task.records(output, batch))[0] == toys / "forecasts.json"


def test_a_third_layout_forecasts_files_that_the_tool_scores(toys, tmp_path, capsys):
    parts = {"encoder": "kinematic", "block": "identity", "bridge": "linear", "head": "constant_velocity"}
    parts |= {"task": "forecast", "optim": "vectornet", "run": "default"}
    configs = {group: load_option(group, name) for group, name in parts.items()}
    experiment = ExperimentConfig(name="toys", data=ToyScenes(root=str(toys)), **configs)
    answers = experiment.task.predict(experiment, None, [toys / "val"], top=1, out=tmp_path / "out")
    assert [row[0] for row in answers.rows] == [str(toys / "val" / f"toy{number}.npz") for number in range(3)]
    arguments = ["--predictions", tmp_path / "out" / "forecasts.json", "--data", toys / "val", "--protocol", "toy"]
    register_scorer("toy", ForecastScorer(TOY))
    try:
        assert main([*map(str, arguments), "--out", str(tmp_path / "scores.json")]) == 0
    finally:
        del SCORERS["toy"]
    assert "toys have no maps" in capsys.readouterr().out
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["metrics"]["K=1"]["minFDE"] < 1e-4
    assert scores["samples"] == 3
