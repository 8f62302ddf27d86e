"""What transformers saves of each family is what its decoder layer loads: same keys, same bits."""

import pytest
import torch
from weight_sources import same

from geo_lm4ve.blocks.sources.checks import REQUIRED
from geo_lm4ve.blocks.weights import load_layers

SMALL = {
    "vocab_size": 40,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "head_dim": 8,
    "pad_token_id": 0,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
FAMILIES = {
    "llama": {},
    "mistral": {},
    "qwen2": {},
    "qwen3": {},
    "smollm3": {},
    "gemma": {},
    "gemma2": {},
    "gemma3_text": {},
    "phi": {},
    "phi3": {},
    "olmo2": {},
    "opt": {"ffn_dim": 48, "word_embed_proj_dim": 32},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_inner": 48},
    "gpt_neox": {},
    "gpt_neo": {"num_layers": 2, "attention_types": [[["global"], 2]], "num_heads": 4},
    "bloom": {"n_layer": 2, "n_head": 4},
}


def decoder(model):
    """The list of decoder layers of any transformers model."""
    return max((m for m in model.modules() if isinstance(m, torch.nn.ModuleList)), key=len)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_model_gives_its_layer(tmp_path, family):
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **SMALL | FAMILIES[family]))
    model.save_pretrained(tmp_path)
    weights = load_layers(f"dir:{tmp_path}", final_norm=True)
    layer = decoder(model)[1]
    assert same(weights.layers[0], {name: p.detach() for name, p in layer.named_parameters()})
    assert weights.final_norm["weight"].shape == (32,)
    assert weights.config["model_type"] == family
    layer.load_state_dict(weights.layers[0], strict=True)


def test_every_checked_family_is_tried_here():
    assert REQUIRED.keys() <= FAMILIES.keys()


@pytest.mark.filterwarnings("ignore")
def test_the_language_model_of_a_multimodal_gemma_is_found(tmp_path):
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    vision = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
    config = Gemma3Config(text_config=SMALL, vision_config=vision | {"image_size": 28, "patch_size": 14})
    model = Gemma3ForConditionalGeneration(config)
    model.save_pretrained(tmp_path)
    weights = load_layers(f"dir:{tmp_path}", final_norm=True)
    expected = model.model.language_model.layers[1].state_dict()
    assert same(weights.layers[0], dict(expected))
    assert weights.config["model_type"] == "gemma3_text"
    assert torch.equal(weights.final_norm["weight"], model.model.language_model.norm.weight)
