"""``run.init_parts``: some of the weights of a run, under another block or head; all others start anew."""

import pytest
import torch
from safetensors.torch import load_file
from small_runs import experiment

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.train import train
from geo_lm4ve.engine.trainer import Trainer
from geo_lm4ve.parts.run import RunConfig
from geo_lm4ve.saved import CheckpointError

EMBED = "encoder.stages.embed"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a run without a block, and its weights."""
    root = tmp_path_factory.mktemp("trained")
    train(experiment(root, block=("identity", {}), optim={"epochs": 1}))
    (folder,) = (root / "runs" / "small").iterdir()
    return folder, load_file(folder / "checkpoints" / "last" / "model.safetensors")


def start(root, source, *parts, **how):
    return Trainer(experiment(root, run={"init_from": str(source), "init_parts": list(parts)}, **how))


@pytest.mark.parametrize("place", ["", "checkpoints/last", "checkpoints/last/model.safetensors"])
def test_parts_go_under_another_block_and_the_rest_is_as_it_would_be_without(trained, tmp_path, capsys, place):
    folder, weights = trained
    block = ("random_frozen", {})
    trainer = start(tmp_path, folder / place, EMBED, block=block)
    fresh = Trainer(experiment(tmp_path, block=block)).model.state_dict()
    for name, value in trainer.model.state_dict().items():
        assert torch.equal(value, weights[name] if name.startswith(EMBED + ".") else fresh[name]), name
    taken = [name for name in weights if name.startswith(EMBED + ".")]
    assert any(not torch.equal(weights[name], fresh[name]) for name in taken)
    assert (
        f"started from {len(taken)} weights of {folder / place} ({EMBED}); the others are new"
        in capsys.readouterr().out
    )
    assert trainer.trained_on["started_from"]["parts"] == [EMBED]


def test_an_output_layer_of_other_size_is_left_out_or_named(trained, tmp_path):
    folder, _ = trained
    other = {"task": ("classify", {}), "head": {"hidden": [12]}}
    start(tmp_path, folder, "encoder", **other)
    with pytest.raises(CheckpointError, match=r"was trained with another model.*head.mlp"):
        start(tmp_path, folder, "encoder", "head", **other)


def test_what_is_not_there_is_named(trained, tmp_path):
    folder, _ = trained
    with pytest.raises(CheckpointError, match=r"run.init_parts: .* has no weights of 'encoder.stages.detect', but "):
        start(tmp_path, folder, EMBED, "encoder.stages.detect")
    sizes = {"num_groups": 8, "group_size": 8, "dim": 24, "encoder_dim": 16, "depth": 1}
    with pytest.raises(CheckpointError, match=r"was trained with another model.*encoder.stages.embed"):
        start(tmp_path, folder, EMBED, encoder=("point_bert_tiny", sizes))
    with pytest.raises(ConfigError, match="are parts of nothing: set run"):
        RunConfig(init_parts=[EMBED])


def test_what_was_trained_behind_a_block_goes_behind_that_one(tmp_path):
    train(experiment(tmp_path, block=("random_frozen", {}), optim={"epochs": 1}))
    (folder,) = (tmp_path / "runs" / "small").iterdir()
    other = ("random_frozen", {"seed": 5})
    start(tmp_path, folder, "encoder", block=other)
    with pytest.raises(BlockError, match="the model was trained with layers"):
        start(tmp_path, folder, "encoder", "bridge", block=other)
