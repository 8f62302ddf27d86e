"""A network of transformers put into an experiment by its config alone: trained, saved, scored."""

import json
import os
import subprocess
import sys

import pytest
from safetensors.torch import load_file
from small_runs import ROOT
from vision_models import write_vision

DATA = '''
from dataclasses import dataclass

import torch

from geo_lm4ve.config import register
from geo_lm4ve.images.batch import ImageBatch
from geo_lm4ve.parts.data import DataConfig
from geo_lm4ve.parts.mapped import MappedData


def collate(items, rows):
    pixels, labels = zip(*items)
    return ImageBatch(torch.stack(pixels), torch.tensor(labels), rows)


def images(count, seed):
    """Dark and bright noise."""
    noise = torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    return [(image + 2.0 * (row % 2), row % 2) for row, image in enumerate(noise)]


@register("data", "noise_images")
@dataclass
class NoiseConfig(DataConfig):
    name: str = "noise_images"

    def build(self):
        splits = {"train": images(16, 0), "val": images(8, 1), "test": images(8, 2)}
        return MappedData(self, "noise", splits, collate, classes=("dark", "bright"), synthetic=True)
'''
EXPERIMENT = """
defaults: [/schema/experiment, /schema/data/noise_images, encoder: vit_tiny, block: mlp, bridge: linear, head: vit,
  task: classify, optim: short, run: default, _self_]
name: noise
block: {width: 32}
run: {pictures: false}
optim: {epochs: 1, batch_size: 8}
"""


@pytest.fixture
def trained(tmp_path):
    """Trains with overrides, in a process that knows the data; gives the run folder and what was said."""
    (tmp_path / "noise_images.py").write_text(DATA)
    (tmp_path / "noise_images-0.dist-info").mkdir()
    (tmp_path / "noise_images-0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: noise-images\n")
    entry = "[geo_lm4ve.plugins]\nnoise_images = noise_images\n"
    (tmp_path / "noise_images-0.dist-info" / "entry_points.txt").write_text(entry)
    (tmp_path / "noise.yaml").write_text(EXPERIMENT)

    def run(*overrides):
        places = os.pathsep.join((str(tmp_path), str(ROOT)))
        settings = (str(tmp_path / "noise.yaml"), f"run.root={tmp_path}", *overrides)
        done = subprocess.run(
            [sys.executable, "-m", "geo_lm4ve", "train", *settings],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": places, "COLUMNS": "200"}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (folder,) = (tmp_path / "noise").iterdir()
        return folder, done.stdout + done.stderr

    return run


def test_one_command_trains_adapters_round_a_frozen_network(trained, tmp_path):
    source = write_vision(tmp_path / "models" / "siglip", "siglip")
    folder, said = trained("encoder=generic", f"encoder.source={source}", "head=patches")
    assert "siglip (sha256 " in said
    assert "4 x 4 patches of 32 x 32 pixels" in said
    assert json.loads((folder / "results.json").read_text())["samples"] == 8
    held = load_file(folder / "checkpoints" / "last" / "model.safetensors")
    assert {name.split(".")[0] for name in held} == {"encoder", "bridge", "head"}
    assert [name for name in held if name.startswith("encoder.")] == ["encoder.stages.network.network.reference"]
