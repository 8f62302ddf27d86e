"""What names an experiment, and how commands are written in texts."""

import shutil
import sys
from pathlib import Path

import pytest

from geo_lm4ve.arguments import divided
from geo_lm4ve.config import ConfigError
from geo_lm4ve.invocation import as_typed, command
from geo_lm4ve.places import CONFIGS
from geo_lm4ve.usage import experiment_file, run_folder, usage


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["quickstart", "quickstart.yaml", "configs/quickstart.yaml", "configs/quickstart"])
def test_a_shipped_experiment_is_known_by_its_name_anywhere(name, elsewhere):
    assert experiment_file(name) == (CONFIGS / "quickstart.yaml").resolve()
    assert divided([name, "seed=1"], "train") == (name, ["seed=1"])


def test_what_lies_there_goes_over_a_shipped_name(elsewhere):
    (elsewhere / "configs").mkdir()
    mine = Path(shutil.copy(CONFIGS / "quickstart.yaml", elsewhere / "configs"))
    assert experiment_file("configs/quickstart.yaml") == mine
    (elsewhere / "quickstart").mkdir()
    assert experiment_file("quickstart") is None  # a folder without a run in it is not what was meant
    shutil.copy(mine, elsewhere / "quickstart" / "config.yaml")
    assert experiment_file("quickstart") == elsewhere / "quickstart" / "config.yaml"
    assert run_folder("quickstart") == Path("quickstart")


@pytest.mark.parametrize("name", ["quickstrat", "configs/quickstrat.yaml", "runs/quickstrat"])
def test_an_unknown_experiment_is_answered_with_the_nearest_and_all(name, elsewhere):
    with pytest.raises(ConfigError) as refused:
        divided([name], "train")
    assert str(refused.value).startswith(f"there is no experiment {name} (did you mean configs/quickstart.yaml?)")
    assert "shipped: configs/argoverse1_constant_turn_rate.yaml, " in str(refused.value)


@pytest.mark.parametrize("name", ["other/quickstart.yaml", "block/identity", "../configs/quickstart"])
def test_a_path_elsewhere_is_no_shipped_name(name, elsewhere):
    assert experiment_file(name) is None


@pytest.mark.parametrize(
    ("program", "typed"),
    [
        ("/opt/bin/geo-lm4ve", "geo-lm4ve extract-block"),
        ("geo-lm4ve.exe", "geo-lm4ve extract-block"),
        ("/lib/geo_lm4ve/__main__.py", "python -m geo_lm4ve extract-block"),
        ("tools/train.py", "python tools/extract_block.py"),
        ("my_script.py", "python tools/extract_block.py"),
    ],
)
def test_a_command_is_written_as_the_running_one_was_typed(program, typed, monkeypatch):
    monkeypatch.setattr(sys, "argv", [program])
    assert command("extract-block") == typed
    assert as_typed("write it with geo-lm4ve extract-block SOURCE") == f"write it with {typed} SOURCE"
    assert usage("extract-block", "Say geo-lm4ve extract-block.").count(typed) == 2
