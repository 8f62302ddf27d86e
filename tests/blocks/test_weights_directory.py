"""Local transformers folders: safetensors and .bin, sharded or not, whole or damaged."""

import json
import logging

import pytest
import torch
from safetensors.torch import save_file
from weight_sources import TINY, layer_of, llama_state, same, write_folder

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.weights import load_layers


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("shards", [1, 4])
@pytest.mark.parametrize("ending", ["safetensors", "bin"])
def test_every_way_to_store_gives_the_stored_tensors(tmp_path, ending, shards, dtype):
    state = llama_state(dtype=dtype)
    write_folder(tmp_path, state, ending=ending, shards=shards)
    weights = load_layers(f"dir:{tmp_path}", [1, 2], final_norm=True)
    assert same(weights.layers[0], layer_of(state, 1))
    assert same(weights.layers[1], layer_of(state, 2))
    assert same(weights.final_norm, {"weight": state["model.norm.weight"]})


def test_the_fingerprint_does_not_depend_on_the_format(tmp_path):
    state = llama_state(dtype=torch.bfloat16)
    one = write_folder(tmp_path / "one", state)
    two = write_folder(tmp_path / "two", state, ending="bin", shards=3)
    three = write_folder(tmp_path / "three", {name: tensor.float() for name, tensor in state.items()})
    assert len({load_layers(f"dir:{folder}").reference.sha256 for folder in (one, two, three)}) == 1


@pytest.mark.parametrize("ending", ["safetensors", "bin"])
def test_only_the_shards_of_the_layer_have_to_be_there(tmp_path, ending):
    state = llama_state()
    write_folder(tmp_path, state, ending=ending, shards=8)
    index = json.loads(next(tmp_path.glob("*.index.json")).read_text())["weight_map"]
    needed = {shard for name, shard in index.items() if name.startswith("model.layers.1.")}
    for path in tmp_path.glob(f"*-of-*.{ending}"):
        if path.name not in needed:
            path.unlink()
    assert same(load_layers(f"dir:{tmp_path}", [1]).layers[0], layer_of(state, 1))
    with pytest.raises(BlockError, match=r"lacks .*-of-00008\..*, which hold the asked layers"):
        load_layers(f"dir:{tmp_path}", [0])


@pytest.mark.parametrize(
    ("prefix", "norm"),
    [
        ("model.layers", "model.norm"),
        ("layers", "norm"),
        ("model.decoder.layers", "model.decoder.final_layer_norm"),
        ("decoder.layers", "decoder.final_layer_norm"),
        ("transformer.h", "transformer.ln_f"),
        ("h", "ln_f"),
        ("gpt_neox.layers", "gpt_neox.final_layer_norm"),
        ("model.layers", "model.final_layernorm"),
        ("language_model.model.layers", "language_model.model.norm"),
        ("model.language_model.layers", "model.language_model.norm"),
    ],
)
def test_layers_and_final_norm_are_found_under_any_familys_prefix(tmp_path, prefix, norm):
    state = {f"{prefix}.{i}.mlp.weight": torch.full((2, 2), float(i)) for i in range(12)}
    state |= {f"{norm}.weight": torch.ones(2), f"{norm}.bias": torch.zeros(2), "lm_head.weight": torch.ones(3, 2)}
    state |= {f"vision_tower.vision_model.encoder.layers.{i}.mlp.weight": torch.zeros(1) for i in range(4)}
    write_folder(tmp_path, state, config={"model_type": "other", "num_hidden_layers": 12})
    weights = load_layers(f"dir:{tmp_path}", [11], final_norm=True)
    assert same(weights.layers[0], {"mlp.weight": torch.full((2, 2), 11.0)})
    assert weights.final_norm.keys() == {"weight", "bias"}


def test_numbers_within_a_layer_are_not_taken_for_layers(tmp_path):
    state = {f"model.layers.0.mlp.experts.layers.{i}.weight": torch.ones(i + 1) for i in range(3)}
    write_folder(tmp_path, state, config={"model_type": "other", "num_hidden_layers": 1})
    assert load_layers(f"dir:{tmp_path}").layers[0].keys() == {f"mlp.experts.layers.{i}.weight" for i in range(3)}


def test_constants_of_old_checkpoints_are_no_weights(tmp_path):
    state = llama_state()
    state |= {"model.layers.2.self_attn.rotary_emb.inv_freq": torch.full((8,), float("inf"))}
    write_folder(tmp_path, state)
    assert same(load_layers(f"dir:{tmp_path}").layers[0], layer_of(llama_state(), 2))
    gpt2 = {f"h.0.attn.{key}": torch.ones(1, dtype=torch.uint8) for key in ("bias", "masked_bias")}
    gpt2 |= {"h.0.attn.c_attn.bias": torch.zeros(6)}
    write_folder(tmp_path / "gpt2", gpt2, config={"model_type": "other", "n_layer": 1})
    assert load_layers(f"dir:{tmp_path / 'gpt2'}").layers[0].keys() == {"attn.c_attn.bias"}


def test_the_language_part_of_a_multimodal_config_is_used(tmp_path):
    state = {f"language_model.{name}": tensor for name, tensor in llama_state().items()}
    write_folder(tmp_path, state, config={"model_type": "llava", "text_config": TINY, "vision_config": {}})
    assert load_layers(f"dir:{tmp_path}").config == TINY


def test_the_config_passes_through_as_it_is(tmp_path):
    old = {key: value for key, value in TINY.items() if key != "num_key_value_heads"}
    old |= {"architectures": ["LLaMAForCausalLM"], "max_sequence_length": 2048, "torch_dtype": "float16"}
    write_folder(tmp_path, llama_state(), config=old)
    assert load_layers(f"dir:{tmp_path}").config == old


def test_no_decoder_or_two_of_them_is_refused(tmp_path):
    write_folder(tmp_path / "none", {"a.b": torch.ones(1)}, config=TINY)
    with pytest.raises(BlockError, match="no tensor is named like a decoder layer"):
        load_layers(f"dir:{tmp_path / 'none'}")
    write_folder(tmp_path / "two", {"a.layers.0.w": torch.ones(1), "b.layers.0.w": torch.ones(1)}, config=TINY)
    with pytest.raises(BlockError, match=r"several lists of layers could be the decoder: a\.layers, b\.layers"):
        load_layers(f"dir:{tmp_path / 'two'}")


def test_a_missing_folder_config_or_checkpoint_is_named(tmp_path):
    with pytest.raises(BlockError, match="no folder at"):
        load_layers(f"dir:{tmp_path / 'x'}")
    with pytest.raises(BlockError, match=r"has no config\.json"):
        load_layers(f"dir:{tmp_path}")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(BlockError, match=r"config\.json is cut off, damaged or not a JSON object"):
        load_layers(f"dir:{tmp_path}")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BlockError, match=r"holds none of model\.safetensors, pytorch_model\.bin"):
        load_layers(f"dir:{tmp_path}")
    save_file(llama_state(), tmp_path / "model.safetensors")
    with pytest.raises(BlockError, match="config gives no num_hidden_layers"):
        load_layers(f"dir:{tmp_path}")


def test_an_index_that_points_outside_its_folder_is_refused(tmp_path):
    write_folder(tmp_path, llama_state(), shards=2)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(index.read_text().replace("model-00001", "../model-00001"))
    with pytest.raises(BlockError, match="outside its own folder"):
        load_layers(f"dir:{tmp_path}")


def test_a_tensor_that_the_index_promises_and_the_shard_lacks_is_named(tmp_path):
    state = llama_state()
    write_folder(tmp_path, state, shards=2)
    shard = tmp_path / "model-00002-of-00002.safetensors"
    save_file({n: t for n, t in state.items() if n != "model.layers.2.mlp.up_proj.weight"}, shard)
    with pytest.raises(BlockError, match=r"00002-of-00002\.safetensors lacks model\.layers\.2\.mlp\.up_proj\.weight"):
        load_layers(f"dir:{tmp_path}")


@pytest.mark.parametrize("ending", ["safetensors", "bin"])
@pytest.mark.parametrize("left", [0, 5, 0.5, 0.999])
def test_a_cut_file_is_an_error_that_names_it(tmp_path, ending, left):
    path = next(p for p in write_folder(tmp_path, llama_state(), ending=ending).iterdir() if p.suffix != ".json")
    content = path.read_bytes()
    path.write_bytes(content[: int(left * len(content)) if isinstance(left, float) else left])
    with pytest.raises(BlockError, match=f"{path.name} is cut off, damaged or not "):
        load_layers(f"dir:{tmp_path}")


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    write_folder(tmp_path, llama_state(), ending="bin")
    torch.save({"model.layers.0.x": _Runs()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(BlockError, match=r"it asks for _*builtins?_*\.print, which no dict of tensors needs"):
        load_layers(f"dir:{tmp_path}")


class _Runs:
    def __reduce__(self):
        return (print, ("this must never be printed",))


def test_a_file_older_than_torch_1_6_is_read_whole_and_that_is_said(tmp_path, caplog):
    state = llama_state()
    write_folder(tmp_path, state, ending="bin")
    torch.save(state, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    with caplog.at_level(logging.WARNING):
        assert same(load_layers(f"dir:{tmp_path}").layers[0], layer_of(state, 2))
    assert "have to be read" in caplog.text


@pytest.mark.parametrize("key", sorted(layer_of(llama_state(), 0)))
def test_a_layer_that_lacks_a_key_is_refused_by_name(tmp_path, key):
    state = llama_state()
    del state[f"model.layers.2.{key}"]
    write_folder(tmp_path, state)
    with pytest.raises(BlockError, match=f"layer 2 lacks {key}; a llama layer has it"):
        load_layers(f"dir:{tmp_path}")


@pytest.mark.parametrize("key", sorted(layer_of(llama_state(), 0)))
def test_a_shape_that_contradicts_the_config_is_refused_by_name(tmp_path, key):
    state = llama_state()
    state[f"model.layers.2.{key}"] = torch.cat([state[f"model.layers.2.{key}"]] * 2)
    write_folder(tmp_path, state)
    with pytest.raises(BlockError, match=f"{key} has shape .* but the config asks for"):
        load_layers(f"dir:{tmp_path}")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_that_are_not_finite_are_refused_by_name(tmp_path, value, dtype):
    state = llama_state(dtype=dtype)
    state["model.layers.2.self_attn.o_proj.weight"][7, 9] = value
    write_folder(tmp_path, state)
    with pytest.raises(BlockError, match=r"layer 2, self_attn\.o_proj\.weight holds NaN or infinite"):
        load_layers(f"dir:{tmp_path}")
    assert load_layers(f"dir:{tmp_path}", [1]).reference.layers == (1,)


def test_quantised_weights_are_refused(tmp_path):
    state = llama_state()
    state["model.layers.2.mlp.up_proj.weight"] = torch.ones(96, 64, dtype=torch.int8)
    write_folder(tmp_path, state)
    with pytest.raises(BlockError, match=r"stored as torch\.int8: a quantised checkpoint"):
        load_layers(f"dir:{tmp_path}")


def test_a_final_norm_that_is_not_there_is_only_missed_when_asked_for(tmp_path):
    state = llama_state()
    del state["model.norm.weight"]
    write_folder(tmp_path, state)
    assert load_layers(f"dir:{tmp_path}").final_norm == {}
    with pytest.raises(BlockError, match="holds no final norm"):
        load_layers(f"dir:{tmp_path}", final_norm=True)
