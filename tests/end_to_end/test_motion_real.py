"""Known figures of the baselines on real data, through the same road as a model."""

import pytest
import torch

from geo_lm4ve.traffic.argoverse.argoverse1 import Argoverse1Config
from geo_lm4ve.traffic.argoverse.argoverse2 import Argoverse2Config
from geo_lm4ve.traffic.encoders.kinematic import KinematicEncoderConfig
from geo_lm4ve.traffic.forecast.task import ForecastConfig
from geo_lm4ve.traffic.heads.kinematic import ConstantVelocityConfig
from geo_lm4ve.traffic.heads.lane_follower import LaneFollowerConfig


def _score(data, head):
    task, stage = ForecastConfig().build(data), KinematicEncoderConfig().build().stages["state"]
    head, metrics = head.build(4, task.outputs), task.metrics()
    with torch.no_grad():
        for batch in data.loader("val", batch_size=64, train=False, seed=0).batches(0):
            metrics.update(head(stage(batch)), batch)
    return metrics.compute(metrics.state())


@pytest.fixture(scope="module")
def argoverse1(subset, tmp_path_factory):
    """The val part of the Argoverse 1 subset."""
    return Argoverse1Config(root=str(subset), cache=str(tmp_path_factory.mktemp("cache"))).build()


def test_constant_velocity_on_argoverse1(argoverse1):
    scores = _score(argoverse1, ConstantVelocityConfig())
    assert scores["minADE_1"] == pytest.approx(4.5382, abs=1e-4)
    assert scores["minFDE_1"] == pytest.approx(9.4518, abs=1e-4)
    assert scores["MR_1"] == pytest.approx(0.8875)


def test_lanes_help_on_argoverse1(argoverse1):
    scores = _score(argoverse1, LaneFollowerConfig())
    assert scores["minFDE_6"] < 3.0
    assert scores["minFDE_1"] < 6.5


@pytest.mark.parametrize(("recorded", "ade", "fde"), [(False, 4.9472, 11.2013), (True, 3.94902496, 9.23063174)])
def test_constant_velocity_on_argoverse2(scenario, tmp_path, recorded, ade, fde):
    data = Argoverse2Config(root=str(scenario), cache=str(tmp_path)).build()
    scores = _score(data, ConstantVelocityConfig(recorded=recorded))
    assert scores["minADE_6"] == pytest.approx(ade, abs=1e-4)
    assert scores["minFDE_6"] == pytest.approx(fde, abs=1e-4)
    assert scores["DAC_1"] == 1
