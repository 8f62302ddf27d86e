"""Named architectures: their sizes are those of the published models, their random layers are reproducible."""

import math
import re

import pytest
import torch
import yaml

from geo_lm4ve.blocks.architectures import ARCHITECTURES, architecture, parameter_shapes, random_layers, width
from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.final_norm import final_norm
from geo_lm4ve.blocks.fingerprint import fingerprint
from geo_lm4ve.blocks.frozen import PretrainedBlockConfig
from geo_lm4ve.blocks.gated_architecture import complete
from geo_lm4ve.options import CONFIGS, load_option, options

PUBLISHED = {
    # name: (parameters of the published model, its vocabulary, rows of learned positions, extra matrices)
    "smollm2_135m": (134_515_008, 49152, 0, 0),
    "llama_7b": (6_738_415_616, 2 * 32000, 0, 0),
    "open_llama_7b": (6_738_415_616, 2 * 32000, 0, 0),
    "llama2_7b": (6_738_415_616, 2 * 32000, 0, 0),
    "llama3_8b": (8_030_261_248, 2 * 128256, 0, 0),
    "mistral_7b": (7_241_732_096, 2 * 32000, 0, 0),
    "qwen2_5_0_5b": (494_032_768, 151936, 0, 0),
    "qwen2_5_1_5b": (1_543_714_304, 151936, 0, 0),
    "qwen2_5_7b": (7_615_616_512, 2 * 152064, 0, 0),
    "qwen3_0_6b": (596_049_920, 151936, 0, 0),
    "qwen3_1_7b": (1_720_574_976, 151936, 0, 0),
    "qwen3_8b": (8_190_735_360, 2 * 151936, 0, 0),
    "gemma3_270m": (268_098_176, 262144, 0, 0),
    "opt_125m": (125_239_296, 50272, 2050, 0),
    "opt_350m": (331_196_416, 50272, 2050, 2 * 512 * 1024),
    "opt_1_3b": (1_315_758_080, 50272, 2050, 0),
    "opt_2_7b": (2_651_596_800, 50272, 2050, 0),
    "opt_6_7b": (6_658_473_984, 50272, 2050, 0),
    "gpt2": (124_439_808, 50257, 1024, 0),
    # Pythia's card counts without embeddings
    "pythia_70m": (18_915_328, 0, 0, 0),
    "pythia_160m": (85_056_000, 0, 0, 0),
    "pythia_410m": (302_311_424, 0, 0, 0),
    "pythia_1_4b": (1_208_602_624, 0, 0, 0),
    # 1,000 classes with biases, a class token, the projection of patches of 16 x 16
    "vit_base": (86_567_656, 1000, 197, 1000 + 768 + (3 * 16 * 16 + 1) * 768),
}


def layer_size(name: str, layer: int = -1) -> int:
    config = architecture(name)
    shapes = parameter_shapes(config, layer % complete(config).num_hidden_layers)
    return sum(math.prod(shape) for shape in shapes.values())


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_whole_model_has_the_published_number_of_parameters(name: str) -> None:
    """Layers of the sizes here, with embeddings and final norm, add up to the model to the last parameter."""
    published, vocabulary, positions, extra = PUBLISHED[name]
    full = complete(architecture(name))
    embedding = getattr(full, "word_embed_proj_dim", full.hidden_size)
    norm = final_norm(full)
    after = 0 if norm is None else sum(p.numel() for p in norm.parameters())
    around = vocabulary * embedding + positions * full.hidden_size + extra + after
    assert full.num_hidden_layers * layer_size(name) + around == published


def test_random_layers_are_drawn_as_transformers_initialises() -> None:
    weights = random_layers("smollm2_135m", (0, 29), seed=0, final_norm=True)
    assert weights.reference.layers == (0, 29)
    assert weights.reference.source == "random:smollm2_135m"
    assert weights.reference.sha256 == fingerprint(weights.layers)
    matrix = weights.layers[0]["mlp.up_proj.weight"]
    assert matrix.std().item() == pytest.approx(1 / 24, rel=0.01)
    assert matrix.mean().item() == pytest.approx(0.0, abs=1e-3)
    assert (weights.layers[0]["input_layernorm.weight"] == 1).all()
    assert (weights.final_norm["weight"] == 1).all()


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("gemma3_270m", "input_layernorm.weight", 0.0),  # Gemma stores gain - 1
        ("opt_125m", "fc1.bias", 0.0),
        ("opt_125m", "final_layer_norm.weight", 1.0),
        ("qwen2_5_0_5b", "self_attn.q_proj.bias", 0.0),
    ],
)
def test_random_vectors_start_neutral(name: str, key: str, value: float) -> None:
    assert (random_layers(name, (-1,), 0, False).layers[0][key] == value).all()


def test_gpt2_scales_its_residual_branches() -> None:
    layer = random_layers("gpt2", (0,), 0, False).layers[0]
    assert layer["attn.c_attn.weight"].std().item() == pytest.approx(0.02, rel=0.02)
    assert layer["mlp.c_proj.weight"].std().item() == pytest.approx(0.02 / 24**0.5, rel=0.02)


def test_random_layers_are_reproducible_and_independent_of_company() -> None:
    alone = random_layers("opt_125m", (11,), 3, False)
    among = random_layers("opt_125m", (10, -1), 3, False)
    assert all(torch.equal(alone.layers[0][key], among.layers[1][key]) for key in alone.layers[0])
    assert not torch.equal(among.layers[0]["fc1.weight"], among.layers[1]["fc1.weight"])
    assert random_layers("opt_125m", (11,), 4, False).reference.sha256 != alone.reference.sha256


def test_unknown_names_and_layers_are_refused() -> None:
    with pytest.raises(BlockError, match=r"unknown architecture 'opt_13b' \(did you mean"):
        random_layers("opt_13b", (-1,), 0, False)
    with pytest.raises(BlockError, match=r"opt_125m has 12 layers: layer 12 is out of range -12..11"):
        random_layers("opt_125m", (12,), 0, False)
    assert width("opt_350m") == 1024


PRETRAINED = [name for name in options("block") if isinstance(load_option("block", name), PretrainedBlockConfig)]
DTYPE_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}


@pytest.mark.parametrize("name", PRETRAINED)
def test_options_state_the_size_of_their_layer(name: str) -> None:
    text = (CONFIGS / "block" / f"{name}.yaml").read_text()
    like = {"permuted": "smollm2_135m"}.get(name, name.removesuffix("_hub"))
    values = yaml.safe_load(text)
    depth = complete(architecture(like)).num_hidden_layers
    assert values["layers"] == [depth - 1]
    found = re.search(r"# ([\d,]+) parameters, ([\d.]+) MB in (\w+)", text)
    assert found is not None
    assert int(found[1].replace(",", "")) == layer_size(like)
    assert float(found[2]) == pytest.approx(layer_size(like) * DTYPE_BYTES[found[3]] / 1e6, abs=0.05)
    assert "Licence: " in text


def test_every_architecture_is_an_option() -> None:
    assert set(ARCHITECTURES) <= set(options("block"))
