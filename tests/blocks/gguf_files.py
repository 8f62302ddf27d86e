"""GGUF files as llama.cpp's converter writes them: its names, order of rows and norms."""

import struct

import gguf
import torch
from gguf import GGMLQuantizationType as Kind
from weight_sources import TINY, llama_state

HEAD = 16
FAMILIES = {
    "llama": (),
    "qwen2": ("self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias"),
    "qwen3": ("self_attn.q_norm.weight", "self_attn.k_norm.weight"),
    "gemma": (),
    "gemma2": ("pre_feedforward_layernorm.weight", "post_feedforward_layernorm.weight"),
    "gemma3": (
        "pre_feedforward_layernorm.weight",
        "post_feedforward_layernorm.weight",
        "self_attn.q_norm.weight",
        "self_attn.k_norm.weight",
    ),
}


def state_of(architecture, head=HEAD):
    """A tiny model of a family, in transformers' names and conventions."""
    state = llama_state(TINY | {"head_dim": head})
    generator = torch.Generator().manual_seed(1)
    for index in range(3):
        for key in FAMILIES[architecture]:
            rows = {
                "q_proj.bias": 64,
                "k_proj.bias": 32,
                "v_proj.bias": 32,
                "q_norm.weight": head,
                "k_norm.weight": head,
            }
            size = next((n for end, n in rows.items() if key.endswith(end)), 64)
            state[f"model.layers.{index}.{key}"] = torch.randn(size, generator=generator)
    return state


def converted(architecture, name, tensor):
    """What llama.cpp's converter stores for a tensor of transformers', written out index by index."""
    values = tensor.numpy().copy()
    if architecture == "llama" and ("q_proj" in name or "k_proj" in name):
        for start in range(0, len(values), HEAD):
            for i in range(HEAD // 2):
                values[start + 2 * i] = tensor[start + i]
                values[start + 2 * i + 1] = tensor[start + i + HEAD // 2]
    return values + 1 if architecture.startswith("gemma") and name.endswith("norm.weight") else values


def write_gguf(path, architecture="llama", kind=Kind.F32, state=None, extra=None, tokens=200, head=HEAD, scores=5000):
    state = state or state_of(architecture, head)
    names = gguf.get_tensor_name_map(getattr(gguf.MODEL_ARCH, architecture.upper()), 3)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(3)
    writer.add_context_length(128)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(96)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(50)
    writer.add_token_list([f"token {i}" for i in range(tokens)])
    writer.add_array("tokenizer.ggml.scores", [0.5] * scores)
    for key, (method, value) in (extra or {}).items():
        getattr(writer, method)(key, value)
    for name, tensor in state.items():
        stem, _, ending = name.rpartition(".")
        values = converted(architecture, name, tensor)
        stored = kind if tensor.ndim == 2 else Kind.F32
        writer.add_tensor(f"{names.get_name(stem)}.{ending}", gguf.quantize(values, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def patched(content, key, value):
    """The file with another uint32 under a metadata key."""
    at = content.index(struct.pack("<Q", len(key)) + key.encode()) + 8 + len(key)
    assert content[at : at + 4] == struct.pack("<I", 4), "uint32"
    return content[: at + 4] + struct.pack("<I", value) + content[at + 8 :]
