"""The tables of the rooms name exactly what is registered, and a name imports its own module alone."""

import json
import os
import subprocess
import sys

import pytest
from small_runs import ROOT

EVERYTHING = """
import json
from geo_lm4ve import config, shipped
from geo_lm4ve.parts.drawer import DRAWERS
from geo_lm4ve.parts.scorer import scorers
from geo_lm4ve.prepare.base import preparers
from geo_lm4ve.pretrained.layouts import known_tables

shipped.load_parts()
found = {group: {name: cls.__module__ for name, cls in config.registered(group).items()} for group in config.GROUPS}
found["preparer"] = {name: type(one).__module__ for name, one in preparers().items()}
found["scorer"] = {name: type(one).__module__ for name, one in scorers().items()}
found["drawer"] = {suffix: draw.__module__ for suffix, (draw, _) in DRAWERS.items()}
homes = [table.describe.__module__ for table in known_tables()]
found["checkpoints"] = {home.rpartition(".")[2]: home for home in homes}
print(json.dumps([found, shipped.tables()]))
"""


def printed(code, *path):
    """What Python code prints in a process of its own, with these folders among the installed packages."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT)))}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_tables_name_what_is_registered_and_where():
    found, named = json.loads(printed(EVERYTHING))
    assert found.keys() == named.keys()
    for kind, modules in named.items():
        assert found[kind] == modules, kind


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("from geo_lm4ve.config import lookup; lookup('encoder', 'point_bert')", "geo_lm4ve.traffic.encoders"),
        ("from geo_lm4ve.prepare.base import find; find('modelnet40')", "geo_lm4ve.traffic.argoverse"),
        ("from geo_lm4ve.parts.scorer import scorers; scorers()", "geo_lm4ve.points.source"),
        (
            "from geo_lm4ve import create_model; create_model('point_bert_tiny', num_classes=3)",
            "geo_lm4ve.traffic.encoders",
        ),
    ],
)
def test_a_name_imports_its_own_module_alone(code, absent):
    loaded = printed(f"{code}\nimport sys; print(*sys.modules)").split()
    assert absent not in loaded
    assert "torch_geometric" not in loaded or "scorers" in code


OUTSIDE = ROOT / "tests" / "outside"
TAKEN = """
from dataclasses import dataclass
from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.parts.encoder import EncoderConfig

@dataclass
class Mine(EncoderConfig):
    name: str = "vectornet"

try:
    register("encoder", "vectornet")(Mine)
except ConfigError as error:
    print(error)
"""


def test_a_shipped_name_is_taken_before_its_module_is_imported():
    assert printed(TAKEN) == "encoder/vectornet is already registered by VectorNetConfig\n"


TINYNET = """
from dataclasses import dataclass
from geo_lm4ve.config import register
from geo_lm4ve.points.encoders.point_bert import PointBertConfig

@register("encoder", "tinynet")
@dataclass
class TinyNet(PointBertConfig):
    name: str = "tinynet"
    dim: int = 24
    depth: int = 1
    num_heads: int = 2
"""
LISTED = """
from geo_lm4ve.doctor.inventory import data
from geo_lm4ve.options import load_option, options
print("tones" in options("data"), "tones" in options("head"), load_option("encoder", "tone_patches", {"dim": 8}).dim)
print([item.note for item in data() if item.name == "tones"])
"""


def test_options_and_the_doctor_see_plugins():
    assert printed(LISTED, OUTSIDE) == "True False 8\n['needs no files']\n"


def test_a_model_of_a_plugin_is_made_and_loads_in_a_new_process(tmp_path):
    (tmp_path / "tinynet.py").write_text(TINYNET)
    about = tmp_path / "tinynet-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tinynet\nVersion: 0\n")
    (about / "entry_points.txt").write_text("[geo_lm4ve.plugins]\ntinynet = tinynet\n")
    saved = tmp_path / "saved"
    make = "from geo_lm4ve import create_model; create_model('tinynet', num_classes=2, block='mlp')"
    printed(f"{make}.save_pretrained({str(saved)!r})", tmp_path)
    load = f"from geo_lm4ve import Model; print(Model.from_pretrained({str(saved)!r}).config.encoder.name)"
    assert printed(load, tmp_path) == "tinynet\n"
