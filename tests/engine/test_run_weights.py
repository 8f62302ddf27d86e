"""The weights of a run, and of a frozen block that was trained from outside."""

import pytest
import torch
from small_runs import experiment

from geo_lm4ve.engine.checkpoint import Position, load_resume, open_resume, save_resume
from geo_lm4ve.engine.train import train
from geo_lm4ve.engine.weights import load_run
from geo_lm4ve.model import Model, ModelConfig
from geo_lm4ve.options import load_option
from geo_lm4ve.saved import CheckpointError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    train(experiment(folder, optim={"epochs": 1}))
    (found,) = (folder / "runs" / "small").iterdir()
    return found


def test_a_run_is_loaded_with_its_selected_weights_and_classes(run):
    model, best = load_run(run), Model.from_pretrained(run / "checkpoints" / "best")
    clouds = torch.randn(2, 128, 3)
    assert not model.training
    assert model.classes == ("ball", "box", "disc", "rod")
    assert torch.equal(model(clouds), best(clouds))
    assert torch.equal(load_run(str(run / "checkpoints" / "last"))(clouds).isfinite(), torch.ones(2, 4) > 0)


def test_a_folder_that_is_no_run_says_which_to_give(run, tmp_path):
    with pytest.raises(CheckpointError, match=rf"holds 1 runs and is none: choose one, the newest is {run}"):
        load_run(run.parent)
    with pytest.raises(CheckpointError, match=r"gone is no folder: give one that a run made"):
        load_run(tmp_path / "gone")
    with pytest.raises(CheckpointError, match="holds no checkpoint: train first"):
        load_run(tmp_path)


def frozen_model(tmp_path):
    torch.manual_seed(0)
    parts = experiment(tmp_path, block=("random_frozen", {}))
    return ModelConfig(parts.encoder, load_option("block", "random_frozen"), parts.bridge, parts.head, 4).build()


@pytest.mark.parametrize("again", [True, False], ids=["made trainable again", "frozen again"])
def test_a_resume_checkpoint_holds_what_was_trained_of_a_frozen_block(tmp_path, again):
    model, clouds = frozen_model(tmp_path), torch.randn(4, 128, 3)
    slim = set(model.state_dict())
    optimizer = torch.optim.SGD(model.requires_grad_(True).parameters(), lr=0.1)
    model(clouds).square().mean().backward()
    optimizer.step()
    if not again:
        model.bridge.block.requires_grad_(False)
    save_resume(tmp_path, model, optimizer, Position(), {})
    loaded = frozen_model(tmp_path)
    if again:
        loaded.requires_grad_(True)
    load_resume(tmp_path, open_resume(tmp_path, loaded), loaded, torch.optim.SGD(loaded.parameters(), lr=0.1))
    assert torch.equal(loaded.eval()(clouds), model.eval()(clouds))
    assert set(frozen_model(tmp_path).state_dict()) == slim
