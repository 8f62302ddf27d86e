import json

import pytest
from forecast_files import write_argoverse1_map, write_argoverse1_split

from geo_lm4ve.config import ConfigError
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.options import load_option
from geo_lm4ve.traffic.forecast.activation import Probe, activation_page


def _experiment(root, encoder="kinematic", head="constant_velocity", task="forecast"):
    options = {
        "data": "argoverse1", "encoder": encoder, "block": "identity", "bridge": "linear", "head": head, "task": task,
        "optim": "vectornet", "run": "default",
    }  # fmt: skip
    changes = {"data": {"root": str(root)}, "run": {"split": "val"}}
    parts = {group: load_option(group, name, changes.get(group)) for group, name in options.items()}
    return ExperimentConfig(name="page", **parts)


@pytest.fixture
def root(tmp_path):
    write_argoverse1_split(tmp_path / "data" / "val")
    write_argoverse1_map(tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize("probe", list(Probe))
def test_page(root, tmp_path, probe):
    page = tmp_path / "activation.html"
    activation_page(_experiment(root), None, page, probe=probe, count=3)
    scenes = json.loads(page.read_text().split('id="data">')[1].split("</script>")[0])["scenes"]
    assert [scene["name"] for scene in scenes] == ["0", "20", "30"]
    assert scenes[0]["agent_activation"][0] == 0  # one token: nothing to stand out from


def test_refusals(root, tmp_path):
    with pytest.raises(ConfigError, match="magnitude, frequency"):
        activation_page(_experiment(root), None, tmp_path / "page.html", kind="colour")
    solids = _experiment(root)
    solids.data = load_option("data", "synthetic_solids", {"root": str(tmp_path / "solids"), "train": 38, "test": 38})
    with pytest.raises(ConfigError, match="needs traffic scenes, not data=synthetic_solids"):
        activation_page(solids, None, tmp_path / "page.html")
    with pytest.raises(ConfigError, match="trainable weights"):
        activation_page(_experiment(root, "vectornet_small", "vectornet"), None, tmp_path / "page.html")
