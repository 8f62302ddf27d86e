"""What can be seen without data is refused before any are generated, ordered or cached."""

import json
import shutil

import pytest
import torch
from small_runs import experiment

from geo_lm4ve.classification.predict import classify_files
from geo_lm4ve.engine.evaluate import evaluate
from geo_lm4ve.engine.session import choose_device, devices
from geo_lm4ve.engine.train import train
from geo_lm4ve.engine.trainer import Trainer
from geo_lm4ve.engine.weights import begin, build_experiment_model
from geo_lm4ve.experiment import to_yaml
from geo_lm4ve.files import UserError, write_text
from geo_lm4ve.options import load_option
from geo_lm4ve.pretrained import to_official

SOLIDS = {"train": 38, "test": 38, "points": 64}
LIKE = ("smollm2_135m", {"source": "random:smollm2_135m"})


def unborn(tmp_path, **changes):
    """An experiment whose data would be generated into a folder that is not there."""
    data = {**SOLIDS, **changes.pop("data", {}), "root": str(tmp_path / "solids")}
    return experiment(tmp_path, data=("synthetic_solids", data), **changes)


def official(path, **changes):
    """A small model in the names of Point-BERT."""
    small = experiment(path.parent, block=("identity", {}), **changes)
    torch.save({"base_model": to_official(build_experiment_model(small, 4))}, path)
    return path


def refused(call, tmp_path, *words):
    with pytest.raises(UserError) as caught:
        call()
    message = str(caught.value)
    for word in words:
        assert word in message, message
    assert not (tmp_path / "solids").exists()
    assert not (tmp_path / "data" / "fps_order").exists()
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoder": {"dim": 999_999_999, "heads": 1}}, ["this model cannot be built", "encoder.dim=999999999"]),
        ({"head": {"hidden": [999_999_999]}}, ["this model cannot be built", "head.hidden=999999999"]),
        ({"block": ("mlp", {"width": 99_999_999_999})}, ["this model cannot be built", "block.width=99999999999"]),
        ({"block": ("smollm2_135m", {"source": "file:/nowhere"})}, ["no file at /nowhere", "tools/extract_block.py"]),
        ({"block": ("smollm2_135m", {"source": "nowhere"})}, ["unknown source of weights 'nowhere'"]),
        ({"block": ("smollm2_135m", {"source": "random:smollm2_135m", "layers": [30]})}, ["layer"]),
        ({"bridge": {"after": "middle"}}, ["unknown encoder stage 'middle'"]),
        ({"run": {"device": "cuda:77"}}, ["run.device=cuda:77 is not there; this machine has cpu"]),
        ({"run": {"split": "tset"}}, ["run.split=tset, but data=synthetic_solids has only train, val, test"]),
        ({"data": {"val_fraction": 0.0}}, ["run.select_on=val, but data=synthetic_solids has no validation split"]),
        ({"optim": {"accumulate": 3}}, ["optim.batch_size=8 does not split"]),
        ({"run": {"init_from": "/nowhere.pth"}}, ["/nowhere.pth is not a file"]),
        ({"run": {"init_from": "."}}, [". holds no checkpoint"]),
    ],
)
def test_training(changes, words, tmp_path):
    refused(lambda: train(unborn(tmp_path, **changes)), tmp_path, *words)


def test_weights_to_start_from_are_read_and_compared(tmp_path):
    path = official(tmp_path / "official.pth")
    cut = tmp_path / "cut.pth"
    cut.write_bytes(path.read_bytes()[:900])
    other = official(tmp_path / "other.pth", encoder={"depth": 2})
    (tmp_path / "text.pth").write_text("not weights")
    for name, words in {
        cut: ["cut.pth is cut off, damaged or not a PyTorch checkpoint"],
        other: ["other.pth", "encoder.depth=2"],
        tmp_path / "text.pth": ["text.pth is cut off, damaged or not a PyTorch checkpoint"],
    }.items():
        small = unborn(tmp_path, block=("identity", {}), run={"init_from": str(name)})
        refused(lambda small=small: train(small), tmp_path, *words)
    Trainer(experiment(tmp_path, block=("identity", {}), run={"init_from": str(path)}))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that was stopped after its second step, and has a saved model."""
    root = tmp_path_factory.mktemp("trained")
    small = experiment(root, optim={"epochs": 1}, run={"max_steps": 2})
    train(small)
    (folder,) = (root / "runs" / "small").iterdir()
    (folder / "results.json").unlink()
    return small, folder


@pytest.fixture
def copied(run, tmp_path):
    """A run of its own for a test that damages it; its data are those of ``unborn``."""
    _, folder = run
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    return unborn(tmp_path), copy


def damaged(path, size=100):
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: shutil.rmtree(folder / "checkpoints"), ["holds no checkpoint"]),
        (lambda folder: damaged(folder / "checkpoints/best/model.json"), ["model.json is cut off, damaged"]),
        (lambda folder: damaged(folder / "checkpoints/best/model.safetensors"), ["model.safetensors is cut off"]),
        (lambda folder: damaged(folder / "checkpoints/best/training.json", 9), ["training.json is cut off, damaged"]),
    ],
)
def test_scoring(spoil, words, copied, tmp_path):
    small, folder = copied
    spoil(folder)
    refused(lambda: evaluate(small, folder), tmp_path, *words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoder": {"depth": 3}}, ["was trained with another model", "encoder.stages.", "missing in the file"]),
        ({"head": {"hidden": [8]}}, ["was trained with another model", "head."]),
        ({"run": {"checkpoint": "/nowhere.pth"}}, ["/nowhere.pth is not a file"]),
        ({"run": {"split": "best"}}, ["run.split=best"]),
        ({"run": {"device": "cuda:77"}}, ["run.device=cuda:77"]),
    ],
)
def test_scoring_another_model(changes, words, copied, tmp_path):
    _, folder = copied
    refused(lambda: evaluate(unborn(tmp_path, **changes), folder), tmp_path, *words)


def test_scoring_nothing_trained(tmp_path):
    refused(lambda: evaluate(unborn(tmp_path)), tmp_path, "run.checkpoint=PATH")


def test_other_classes_get_no_score(run, tmp_path):
    _, folder = run
    with pytest.raises(UserError, match=r"tells 4 classes \(ball, box, disc, …\) apart, synthetic solids .* has 38 cl"):
        evaluate(unborn(tmp_path), folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoder": {"depth": 3}}, ["copy was trained with encoder.depth=1, not 3", "encoder.depth=3"]),
        ({"block": ("identity", {})}, ["copy was trained with block.name=mlp, not identity"]),
        ({"seed": 5}, ["copy was trained with seed=0, not 5"]),
        ({"choices": {"block": "gpt2"}}, ["copy was trained with block=mlp, not gpt2", "EXPERIMENT block=gpt2"]),
    ],
)
def test_going_on_as_another_run(changes, words, copied, tmp_path):
    _, folder = copied
    choices = changes.pop("choices", {})
    was = experiment(folder.parent)
    was.choices = {"block": "mlp"}
    write_text(folder / "config.yaml", to_yaml(was))
    small = unborn(tmp_path, **changes)
    small.choices = choices
    refused(lambda: train(small, folder), tmp_path, *words)


def test_going_on_with_a_damaged_checkpoint_or_another_block(copied, tmp_path):
    small, folder = copied
    path = folder / "checkpoints" / "resume.pt"
    content = torch.load(path, weights_only=True)
    content["block_reference"] = {"source": "file:a", "layers": [1], "sha256": "0" * 64}
    torch.save(content, path)
    (folder / "config.yaml").unlink()
    refused(lambda: train(unborn(tmp_path, block=LIKE), folder), tmp_path, "trained with layers [1] of file:a")
    damaged(path, 1000)
    refused(lambda: train(small, folder), tmp_path, "is cut off, damaged or not a resume checkpoint of this run")


def test_predicting_looks_at_the_checkpoint_before_the_block_and_the_files(copied, tmp_path):
    _, folder = copied
    damaged(folder / "checkpoints/best/model.safetensors")
    small = experiment(tmp_path, block=("smollm2_135m", {"source": "file:/nowhere"}))
    refused(lambda: classify_files(small, folder, [tmp_path / "no.stl"]), tmp_path, "model.safetensors is cut off")


def test_a_missing_folder_of_data_is_seen_before_the_block(tmp_path):
    block = ("smollm2_135m", {"source": "file:/nowhere"})
    refused(lambda: train(experiment(tmp_path, data={"root": "/gone"}, block=block)), tmp_path, "no folder /gone")
    (tmp_path / "solids").mkdir()
    (tmp_path / "solids" / "mine.txt").write_text("")
    with pytest.raises(UserError, match=r"not generated here: mine\.txt"):
        train(unborn(tmp_path, block=block))


@pytest.mark.parametrize(
    "block",
    [("mlp", {"width": 32}), ("identity", {}), LIKE, ("smollm2_135m", {**LIKE[1], "train": "lora"})],
    ids=["mlp", "identity", "frozen", "lora"],
)
def test_a_seed_gives_the_weights_that_it_gives_a_model_built_in_one_go(block, tmp_path, monkeypatch):
    if "train" in block[1]:
        pytest.importorskip("peft")
    small = experiment(tmp_path, seed=3, block=block)
    built = type(small.data).build

    def drawing(config):
        torch.rand(7)
        return built(config)

    monkeypatch.setattr(type(small.data), "build", drawing)
    trainer = Trainer(small)
    after = torch.get_rng_state()
    torch.manual_seed(3)
    whole = build_experiment_model(small, 4)
    assert torch.equal(after, torch.get_rng_state())
    ours, wanted = trainer.model.state_dict(), whole.state_dict()
    assert ours.keys() == wanted.keys()
    for name, value in wanted.items():
        assert torch.equal(ours[name], value), name


def test_a_block_is_built_once(tmp_path, monkeypatch):
    small, built = experiment(tmp_path), []
    build = type(small.block).build
    monkeypatch.setattr(type(small.block), "trained_only", False)  # else there is a rehearsal, which reads nothing
    monkeypatch.setattr(type(small.block), "build", lambda config: built.append(1) or build(config))
    Trainer(small)
    assert built == [1]


@pytest.mark.parametrize(
    ("name", "encoder"),
    [("classification", None), ("point_mae", None), ("vectornet", "vectornet_small"),
     ("mmtransformer", "mmtransformer_small"), ("constant_velocity", "kinematic")],
)  # fmt: skip
def test_heads_can_be_rehearsed(name, encoder, tmp_path):
    small = experiment(tmp_path, block=("identity", {}))
    small.head = load_option("head", name)
    if encoder:
        small.encoder = load_option("encoder", encoder)
    backbone = begin(small).backbone
    model = backbone.rehearsed(backbone.config.outputs)
    assert model is not None
    assert all(parameter.is_meta for parameter in model.head.parameters())


def test_devices_are_named(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    assert devices() == ["cpu", "cuda", "cuda:0", "cuda:1"]


def test_an_evaluation_says_which_weights_it_took(run):
    small, folder = run
    scored = evaluate(small, folder)
    assert scored["protocol"]["checkpoint"] == str(folder / "checkpoints" / "best")
    assert json.loads((folder / "checkpoints" / "selected.json").read_text())["select_on"] == "val"


def test_a_numbered_device_is_one_process(monkeypatch):
    chosen = []
    monkeypatch.setattr("geo_lm4ve.engine.session.devices", lambda: ["cpu", "cuda", "cuda:0", "cuda:1"])
    monkeypatch.setattr(torch.accelerator, "set_device_index", chosen.append)
    for name in ("auto", "cpu", "cuda", "cuda:1"):
        choose_device(name)
    assert chosen == [1]
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match=r"each of several processes takes its own; set run\.device=cuda or auto"):
        choose_device("cuda:1")
