"""Folders as Meta publishes LLaMA: its names and order of rows, in one shard or several."""

import json

import torch
from weight_sources import layer_of

PARAMS = {
    "dim": 64,
    "n_layers": 3,
    "n_heads": 4,
    "n_kv_heads": 2,
    "norm_eps": 1e-5,
    "vocab_size": -1,
    "multiple_of": 32,
}
NAMES = {
    "self_attn.q_proj": ("attention.wq", 0),
    "self_attn.k_proj": ("attention.wk", 0),
    "self_attn.v_proj": ("attention.wv", 0),
    "self_attn.o_proj": ("attention.wo", 1),
    "mlp.gate_proj": ("feed_forward.w1", 0),
    "mlp.down_proj": ("feed_forward.w2", 1),
    "mlp.up_proj": ("feed_forward.w3", 0),
    "input_layernorm": ("attention_norm", None),
    "post_attention_layernorm": ("ffn_norm", None),
}
HEAD = 16


def interleaved(rows):
    """Row by row from transformers' order to Meta's: 2i comes from i, 2i+1 from i + half."""
    order = [
        start + half + i for start in range(0, len(rows), HEAD) for i in range(HEAD // 2) for half in (0, HEAD // 2)
    ]
    return rows[order]


def write_meta(folder, state, shards=1, params=PARAMS):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.json").write_text(json.dumps(params))
    for number in range(shards):
        held = {"tok_embeddings.weight": torch.zeros(50, 64 // shards), "norm.weight": state["model.norm.weight"]}
        held |= {"rope.freqs": torch.ones(8), "layers.0.attention.inner_attention.rope.freqs": torch.ones(8)}
        for index in range(3):
            for key, tensor in layer_of(state, index).items():
                name, axis = NAMES[key.removesuffix(".weight")]
                tensor = interleaved(tensor) if name in ("attention.wq", "attention.wk") else tensor
                piece = tensor if axis is None else tensor.chunk(shards, axis)[number]
                held[f"layers.{index}.{name}.weight"] = piece.contiguous()
        torch.save(held, folder / f"consolidated.{number:02d}.pth")
    return folder
