"""Configs and files that say what no model is: one error each, that names the file and what it says."""

import json
import struct

import pytest
import torch
from gguf_files import patched, write_gguf
from meta_files import PARAMS, write_meta
from safetensors.torch import save_file
from weight_sources import TINY, llama_state, write_folder

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.frozen import FrozenBlock
from geo_lm4ve.blocks.sources.cache import LayerCache
from geo_lm4ve.blocks.sources.gguf_file import GGUFFile
from geo_lm4ve.blocks.sources.safetensors_header import safetensors_spans
from geo_lm4ve.blocks.weights import load_layers


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_hidden_layers", 10**30),
        ("num_hidden_layers", 10**9),
        ("num_hidden_layers", -1),
        ("n_layers", 10**9),  # not the key that counts, yet families make a list of this length
        ("hidden_size", 0),
        ("hidden_size", "64"),
        ("intermediate_size", 1e12),
        ("num_attention_heads", -4),
        ("num_key_value_heads", 3),
        ("head_dim", 10**12),
        ("rms_norm_eps", float("nan")),
        ("rms_norm_eps", "1e-5"),
        ("rope_theta", -1.0),
        ("rope_theta", "x"),
        ("sliding_window", 0),
        ("max_position_embeddings", True),
    ],
)
def test_a_config_that_no_layer_can_have_is_refused_by_key(tmp_path, key, value):
    write_folder(tmp_path, llama_state(), TINY | {key: value})
    with pytest.raises(BlockError, match=rf"{tmp_path.name} .*{key}"):
        load_layers(f"dir:{tmp_path}")


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "llama3"},
        {"rope_type": "linear", "factor": 0.0},
        {"rope_type": "default", "rope_theta": 0.0},
        "linear",
        {"rope_type": "none such"},
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_rotary_embedding_that_cannot_be_is_an_error_of_the_source(tmp_path, rope):
    write_folder(tmp_path, llama_state(), TINY | {"rope_scaling": rope})
    with pytest.raises(BlockError) as caught:
        FrozenBlock.from_source(f"dir:{tmp_path}", rotary=True)
    assert str(tmp_path) in "\n".join((str(caught.value), *getattr(caught.value, "__notes__", ())))


@pytest.mark.parametrize("change", [{"model_type": "none such"}, {"hidden_act": "no_act"}, {"layer_types": ["x"]}])
def test_an_error_inside_of_a_layer_says_which_source(tmp_path, change):
    write_folder(tmp_path, llama_state(), TINY | change)
    with pytest.raises(BlockError) as caught:
        FrozenBlock.from_source(f"dir:{tmp_path}")
    assert str(tmp_path) in "\n".join((str(caught.value), *getattr(caught.value, "__notes__", ())))


def test_tensors_of_the_wrong_shape_say_which_source(tmp_path):
    state = llama_state() | {"model.layers.2.self_attn.extra.weight": torch.ones(1)}
    write_folder(tmp_path, state)
    with pytest.raises(BlockError, match=rf"{tmp_path}, llama layer 2: .*unexpected: self_attn\.extra\.weight"):
        FrozenBlock.from_source(f"dir:{tmp_path}")


@pytest.mark.filterwarnings("ignore")
def test_a_layer_of_transformers_asks_for_no_more_than_its_file_holds(tmp_path):
    """Its class makes matrices of the config's sizes before anybody can compare them with the tensors."""
    from transformers import PhiConfig, PhiModel

    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    PhiModel(PhiConfig(**sizes, vocab_size=4)).save_pretrained(tmp_path)
    assert FrozenBlock.from_source(f"dir:{tmp_path}", causal=True).dim == 16
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"intermediate_size": 10**9}))
    with pytest.raises(BlockError, match=r"it would take .* its largest number is intermediate_size=1000000000"):
        FrozenBlock.from_source(f"dir:{tmp_path}", causal=True)


@pytest.mark.parametrize("dim", [1e12, 10**12, 10**6, 0, "64"])
def test_params_of_absurd_size_do_not_list_what_is_missing(tmp_path, dim):
    write_meta(tmp_path, llama_state(), params=PARAMS | {"dim": dim})
    with pytest.raises(BlockError, match=r"dim") as caught:
        load_layers(f"meta:{tmp_path}")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("change", [{"n_heads": 0}, {"n_layers": 10**9}, {"norm_eps": "x"}, {"n_kv_heads": -1}])
def test_params_that_are_no_numbers_of_a_model_are_named(tmp_path, change):
    write_meta(tmp_path, llama_state(), params=PARAMS | change)
    with pytest.raises(BlockError, match=tmp_path.name):
        FrozenBlock.from_source(f"meta:{tmp_path}")


def test_rows_that_are_not_whole_heads_are_an_error(tmp_path):
    path = write_gguf(tmp_path / "m.gguf")
    path.write_bytes(patched(path.read_bytes(), "llama.attention.head_count", 48))
    with pytest.raises(BlockError, match=r"m\.gguf .*64 rows of queries or keys are not 48 heads"):
        load_layers(f"gguf:{path}")


def test_a_gguf_tensor_without_values_is_an_error(tmp_path):
    path = write_gguf(tmp_path / "m.gguf")
    content = path.read_bytes()
    name = b"blk.2.attn_q.weight"
    at = content.index(name) + len(name) + 4
    path.write_bytes(content[:at] + struct.pack("<Q", 0) + content[at + 8 :])
    with pytest.raises(BlockError, match=r"m\.gguf .*blk\.2\.attn_q\.weight of shape \[64, 0\]"):
        load_layers(f"gguf:{path}")


def test_an_alignment_of_nothing_is_an_error(tmp_path):
    path = write_gguf(tmp_path / "m.gguf", extra={"general.alignment": ("add_uint32", 0)})
    with pytest.raises(BlockError, match=r"m\.gguf .*general\.alignment is 0"):
        GGUFFile(path)


def test_one_tensor_under_two_names_is_an_error(tmp_path):
    state = llama_state()
    state["model.layers.02.mlp.up_proj.weight"] = state["model.layers.2.mlp.up_proj.weight"] + 1
    write_folder(tmp_path, state)
    with pytest.raises(BlockError, match=r"are the same tensor of the same layer"):
        load_layers(f"dir:{tmp_path}")


class Far:
    """A file of the hub whose bytes are at hand."""

    def __init__(self, content):
        self.content, self.place, self.size = content, "hub:x/y/z.safetensors", len(content)

    def head(self):
        return self.content


def test_overlapping_tensors_of_a_hub_file_are_refused(tmp_path):
    save_file({"a": torch.ones(2), "b": torch.ones(2)}, tmp_path / "x.safetensors")
    content = (tmp_path / "x.safetensors").read_bytes()
    assert safetensors_spans(Far(content)).keys() == {"a", "b"}
    with pytest.raises(BlockError, match=r"hub:x/y/z\.safetensors .*two of its tensors overlap"):
        safetensors_spans(Far(content.replace(b"[8,16]", b"[4,12]")))
    with pytest.raises(BlockError, match=r"header b\.shape is a list of 1, not a list of whole numbers"):
        safetensors_spans(Far(content.replace(b'[2],"data_offsets":[8,16]', b'[-2],"data_offsets":[8,1]')))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"../../x", b"a\nb"])
def test_a_damaged_ref_of_the_cache_is_looked_up_again_with_a_word(tmp_path, caplog, content):
    cache = LayerCache(tmp_path, "org/model")
    cache.remember("main", "abc")
    assert cache.commit("main") == "abc"
    (tmp_path / "org--model" / "refs" / "main").write_bytes(content)
    assert cache.commit("main") == "main"
    assert "is damaged, and main is looked up again" in caplog.text
