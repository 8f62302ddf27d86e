"""The entry for every source: dispatch, indices, dtype, fingerprint."""

import hashlib
import subprocess
import sys

import pytest
import torch
from weight_sources import TINY, layer_of, llama_state, same, write_folder

from geo_lm4ve.blocks import architectures
from geo_lm4ve.blocks.base import BlockError, BlockReference, LayerWeights
from geo_lm4ve.blocks.fingerprint import fingerprint
from geo_lm4ve.blocks.sources.checkpoint import BytesRead
from geo_lm4ve.blocks.weights import load_layers


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "model", llama_state())


def test_the_last_layer_is_the_default(folder):
    weights = load_layers(f"dir:{folder}")
    assert weights.reference.layers == (2,)
    assert weights.reference.source == f"dir:{folder}"
    assert weights.config == TINY
    assert weights.final_norm == {}
    assert same(weights.layers[0], layer_of(llama_state(), 2))


def test_several_layers_and_the_final_norm(folder):
    weights = load_layers(f"dir:{folder}", [-3, -2], final_norm=True)
    assert weights.reference.layers == (0, 1)
    assert [same(layer, layer_of(llama_state(), i)) for i, layer in enumerate(weights.layers)] == [True, True]
    assert torch.equal(weights.final_norm["weight"], llama_state()["model.norm.weight"])


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([3], r"has 3 layers: layer 3 is out of range -3\.\.2"),
        ([-4], r"layer -4 is out of range"),
        ([0, 2], r"must be consecutive and ascending, got \[0, 2\]"),
        ([1, 0], r"must be consecutive"),
        ([2, 0], r"must be consecutive"),
        ([], r"no layer asked for"),
    ],
)
def test_impossible_layers_are_refused(folder, layers, message):
    with pytest.raises(BlockError, match=message):
        load_layers(f"dir:{folder}", layers)


@pytest.mark.parametrize("source", ["", "model", "dir:", "ftp:x", "C:model"])
def test_an_unknown_source_lists_the_known_ones(source):
    with pytest.raises(BlockError, match=r"unknown source of weights.*\n.*hub:REPO(.|\n)*random:"):
        load_layers(source)


def test_dtype_converts_everything_but_the_fingerprint(folder):
    stored = load_layers(f"dir:{folder}")
    half = load_layers(f"dir:{folder}", final_norm=True, dtype=torch.bfloat16)
    assert {t.dtype for t in half.layers[0].values()} == {torch.bfloat16}
    assert half.final_norm["weight"].dtype == torch.bfloat16
    assert half.reference == stored.reference
    for key, tensor in stored.layers[0].items():
        assert torch.equal(half.layers[0][key], tensor.to(torch.bfloat16))


def test_random_layers_come_from_the_architectures(monkeypatch):
    weights = LayerWeights(TINY, (layer_of(llama_state(), 1),), {}, BlockReference("random:x", (1,), "0"))
    calls = []
    monkeypatch.setattr(architectures, "random_layers", lambda *args: calls.append(args) or weights)
    assert load_layers("random:x", [1], seed=7) is weights
    assert calls == [("x", [1], 7, False)]


def test_the_meter_counts_only_the_layers_bytes(folder):
    meter = BytesRead()
    weights = load_layers(f"dir:{folder}", meter=meter)
    assert meter.read == sum(tensor.nbytes for tensor in weights.layers[0].values())
    assert meter.downloaded == 0


def test_fingerprint_is_sha256_of_names_shapes_and_float32_values():
    layer = {"b": torch.tensor([[1.0, 2.0]]), "a": torch.tensor([3.0], dtype=torch.float16)}
    text = b"layer\na 1\n" + b"\x00\x00\x40\x40" + b"b 1x2\n" + b"\x00\x00\x80\x3f\x00\x00\x00\x40"
    assert fingerprint([layer]) == hashlib.sha256(text).hexdigest()


def test_fingerprint_sees_a_bit_a_name_a_shape_and_the_order_of_layers():
    one, two = layer_of(llama_state(), 0), layer_of(llama_state(), 1)
    seen = {fingerprint([one]), fingerprint([two]), fingerprint([one, two]), fingerprint([two, one])}
    changed = one | {"mlp.up_proj.weight": one["mlp.up_proj.weight"].clone()}
    changed["mlp.up_proj.weight"][3, 5] = torch.nextafter(changed["mlp.up_proj.weight"][3, 5], torch.tensor(9.0))
    seen.add(fingerprint([changed]))
    seen.add(fingerprint([{f"x.{key}": tensor for key, tensor in one.items()}]))
    seen.add(fingerprint([{key: tensor[None] for key, tensor in one.items()}]))
    assert len(seen) == 7


def test_fingerprint_ignores_dtype_insertion_order_and_strides():
    layer = {key: tensor.to(torch.bfloat16) for key, tensor in layer_of(llama_state(), 0).items()}
    wide = {key: layer[key].float() for key in reversed(layer)}
    strided = {key: tensor.t().contiguous().t() if tensor.ndim == 2 else tensor for key, tensor in layer.items()}
    assert fingerprint([layer]) == fingerprint([wide]) == fingerprint([strided])


def test_fingerprint_in_chunks_equals_fingerprint_in_one(monkeypatch):
    layer = layer_of(llama_state(), 0)
    whole = fingerprint([layer])
    monkeypatch.setattr("geo_lm4ve.blocks.fingerprint._CHUNK", 100)
    assert fingerprint([layer]) == whole


def test_importing_weights_imports_no_reader():
    code = (
        "import sys, geo_lm4ve.blocks.weights; "
        "print([m for m in ('gguf', 'transformers', 'huggingface_hub', 'safetensors', 'rich') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"
