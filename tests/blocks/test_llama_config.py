"""A llama config completed by ourselves is what transformers makes of it; what is not plain is left to transformers."""

import subprocess
import sys

import pytest

from geo_lm4ve.blocks.architectures import ARCHITECTURES
from geo_lm4ve.blocks.gated_architecture import complete
from geo_lm4ve.blocks.llama_config import complete_llama

LLAMAS = {name: config for name, config in ARCHITECTURES.items() if config["model_type"] == "llama"}
TINY = {"model_type": "llama", "hidden_size": 24, "num_attention_heads": 4}
MORE = {
    "nothing but the kind": {"model_type": "llama"},
    "groups": {**TINY, "num_key_value_heads": 2, "rope_theta": 5e5, "max_position_embeddings": 64},
    "heads of their own": {**TINY, "head_dim": 8, "attention_bias": True, "mlp_bias": True},
    "nulls": {**TINY, "head_dim": None, "num_key_value_heads": None, "rope_scaling": None},
    "whole numbers": {**TINY, "rope_theta": 10000},
}


@pytest.mark.parametrize("config", [*LLAMAS.values(), *MORE.values()], ids=[*LLAMAS, *MORE])
def test_it_is_what_transformers_makes_of_it(config):
    ours, theirs = complete_llama(config), vars(complete(config))
    if ours is None:
        assert {"rope_scaling", "rope_parameters"} & config.keys()
        return
    theirs = {**theirs, "model_type": "llama", "rope_theta": theirs["rope_parameters"]["rope_theta"]}
    assert {key: theirs.get(key) for key in vars(ours) if key != "rope_scaling"} == vars(ours)


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "mistral"},
        {"rope_scaling": {"rope_type": "linear", "factor": 2.0}},
        {"rope_theta": "x"},
        {"hidden_size": 25},
        {"hidden_size": True},
        {"num_attention_heads": 0},
        {"hidden_act": "gelu"},
        {"rms_norm_eps": None},
        {"head_dim": 2.0},
    ],
    ids=str,
)
def test_what_is_not_plain_is_left_to_transformers(change):
    assert complete_llama({**TINY, **change}) is None


def test_a_plain_block_is_built_without_transformers():
    code = """
import sys
from geo_lm4ve.options import load_option
load_option("block", "random_frozen").build()
load_option("block", "smollm2_135m", {"source": "random:smollm2_135m", "train": "full"}).build()
print(sorted({"transformers", "torch._dynamo"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
