"""What parts declare of one another is what happens when they meet."""

import functools

import pytest
import torch

from geo_lm4ve import cli
from geo_lm4ve.blocks.controls import Identity
from geo_lm4ve.bridge import Bridge
from geo_lm4ve.config import ConfigError, registered
from geo_lm4ve.create import create_model
from geo_lm4ve.files import UserError
from geo_lm4ve.fit import check_fit
from geo_lm4ve.model import Model
from geo_lm4ve.options import CONFIGS, load_option, options, part_class

ENCODERS = (
    "point_bert_tiny", "point_bert_tiny_masked", "pointnext_s", "kinematic", "vectornet_small", "mmtransformer_small",
    "scanqa_small", "sqa3d_small", "vit_tiny", "videomae_mini",
)  # fmt: skip
"""The smallest option of each registered encoder."""
OPEN = {"generic"}
"""Encoders whose tokens depend on what the user names; they declare none."""
ANY_WIDTH = {"mask_decoder": {"heads": 1}}
"""What lets a head be built for tokens of any width."""


KINDS = {part_class("data", name).gives: name for name in options("data")}
"""Class of batches -> one of the data options that make such: fitting hangs on nothing else."""


@functools.cache
def load_encoder(name):
    return load_option("encoder", name)


@functools.cache
def network(name):
    """The encoder, made once."""
    torch.manual_seed(0)
    return load_encoder(name).build().eval()


@functools.cache
def sample(name):
    return load_encoder(name).sample_batch(2)


def fits(**parts):
    try:
        check_fit(parts)
    except ConfigError:
        return False
    return True


def test_every_encoder_is_here_and_every_part_declares():
    assert {load_encoder(name).name for name in ENCODERS} == set(registered("encoder")) - OPEN
    assert all(config.takes for config in registered("encoder").values())
    assert {name for name, config in registered("encoder").items() if config.offers is None} == OPEN
    assert all(config.gives for group in ("data", "head") for config in registered(group).values())
    assert all(config.scores for config in registered("task").values())
    assert all(load_option("head", name).needs() for name in options("head"))


@pytest.mark.parametrize("head", options("head"))
@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_head_runs_on_what_an_encoder_makes_if_and_only_if_they_say_so(encoder, head):
    net, batch, head = network(encoder), sample(encoder), load_option("head", head, ANY_WIDTH.get(head, {}))
    model = Model(net, Bridge(Identity()), head.build(net.dims[net.last], 5)).eval()
    if fits(encoder=load_encoder(encoder), head=head):
        with torch.no_grad():
            assert isinstance(model(batch), head.gives)
    else:
        with pytest.raises(UserError):
            model(batch)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_an_encoder_takes_and_offers_what_it_says(encoder):
    config, batch = load_encoder(encoder), sample(encoder)
    tokens = network(encoder)(batch)
    assert isinstance(batch, config.takes)
    assert config.offers <= tokens.spans.keys() | tokens.context.keys()
    assert tokens.spans.keys() <= config.offers


@pytest.mark.parametrize("data", KINDS.values())
@pytest.mark.parametrize("encoder", ENCODERS)
def test_an_encoder_takes_the_batches_of_data_if_and_only_if_they_say_so(data, encoder):
    data, config = part_class("data", data), load_encoder(encoder)
    batch = next(sample(other) for other in ENCODERS if load_encoder(other).takes is data.gives)
    if fits(data=data, encoder=config):
        assert isinstance(network(encoder)(batch).features, torch.Tensor)
    else:
        with pytest.raises(UserError):
            network(encoder)(batch)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_experiment_fits(path):
    cli.load(path, ["data.root=mine"] if path.stem == "image_folder" else [])


MISFITS = {
    "encoder=vectornet_small": ("data come as PointBatch, the encoder takes SceneBatch", "encoder=point_bert|"),
    "data=synthetic_traffic": ("data come as SceneBatch, the encoder takes PointBatch", "encoder=kinematic|"),
    "head=vectornet": ("the encoder makes cls, groups, position_embedding, not agent_rows, agents", "head=classif"),
    "task=forecast": ("the head gives Tensor, the task scores Trajectories", "with task=forecast goes head=constant_"),
    "head.reads=[cls,grups]": ("not grups", "goes head=classification|point_mae"),
    "bridge.spans=[agents]": ("not agents", "with bridge=linear goes encoder=kinematic|vectornet"),
}


@pytest.mark.parametrize("change", MISFITS)
def test_an_experiment_that_cannot_run_is_refused_when_it_is_composed(change):
    with pytest.raises(ConfigError, match=r"=\w+ and \w+=\w+ do not fit: ") as caught:
        cli.load(CONFIGS / "quickstart.yaml", [change])
    for words in MISFITS[change]:
        assert words in str(caught.value)
    assert any("quickstart.yaml" in note for note in caught.value.__notes__)


def test_the_choices_that_are_named_fit():
    for change in ("encoder=point_bert", "head=point_mae", "data=point_folder data.root=x"):
        cli.load(CONFIGS / "quickstart.yaml", change.split())


def test_a_bridge_in_the_middle_is_not_judged_by_the_last_stage():
    path = CONFIGS / "argoverse1_mmtransformer_llama.yaml"
    cli.load(path, ["bridge.after=agents_lanes", "bridge.spans=[lanes]"])
    with pytest.raises(ConfigError, match="not lanes"):
        cli.load(path, ["bridge.spans=[lanes]"])


def test_create_model_asks_too():
    with pytest.raises(
        ConfigError, match=r"encoder=vectornet_small and head=classification do not fit.*head=vectornet"
    ):
        create_model("vectornet_small", head="classification")


def test_what_declares_nothing_is_not_refused():
    class Silent(part_class("encoder", "kinematic")):
        takes, offers = None, None

    assert fits(data=part_class("data", "modelnet40"), encoder=Silent(), head=load_option("head", "classification"))
