"""Every motion data set is a layout: its configs show what it shows, and its object survives a trip to a worker."""

import dataclasses
import pickle

import pytest

from geo_lm4ve.config import make, registered
from geo_lm4ve.traffic.argoverse.argoverse2 import ARGOVERSE2
from geo_lm4ve.traffic.protocol import Protocol
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
