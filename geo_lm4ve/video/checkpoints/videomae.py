"""Names of VideoMAE in its authors' files, in the paper's VideoMAE with LLaMA, and in transformers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from geo_lm4ve.pretrained.architecture import OUTPUTS, count, size
from geo_lm4ve.pretrained.layouts import Layout, NameTable, Row, register_checkpoints
from geo_lm4ve.video.checkpoints.videomae_of_transformers import rewritten, rows
from geo_lm4ve.video.encoders.videomae import VideoMAE

_EMBED, _BLOCK, _FIRST = "encoder.stages.embed", "encoder.stages.block_*", "encoder.stages.block_0"
_DECODER, _NORM = "decoder of the pre-training", "norm of the pre-training: a classifier has one after the mean"


def describe(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """See ``NameTable``. Attention heads, drop path, frames and size of clips leave no trace in the weights."""
    dim, mlp = size(state, f"{_FIRST}.attention_norm.weight"), size(state, f"{_FIRST}.mlp.0.weight")
    return {
        "encoder.dim": dim,
        "encoder.depth": count(state, _BLOCK),
        "encoder.patch": size(state, f"{_EMBED}.projection.weight", -1),
        "encoder.tubelet": size(state, f"{_EMBED}.projection.weight", 2),
        "encoder.mlp_ratio": mlp / dim if mlp and dim else None,
        OUTPUTS: size(state, "head.mlp.0.weight"),
    }


TABLE = NameTable(
    VideoMAE,
    (
        Row(f"{_EMBED}.projection", "patch_embed.proj"),
        Row(f"{_BLOCK}.attention_norm", "blocks.*.norm1"),
        Row(f"{_BLOCK}.attention.qkv.weight", "blocks.*.attn.qkv.weight"),
        Row(f"{_BLOCK}.attention.qkv.q_bias", "blocks.*.attn.q_bias"),
        Row(f"{_BLOCK}.attention.qkv.v_bias", "blocks.*.attn.v_bias"),
        Row(f"{_BLOCK}.attention.out", "blocks.*.attn.proj"),
        Row(f"{_BLOCK}.mlp_norm", "blocks.*.norm2"),
        Row(f"{_BLOCK}.mlp.0", "blocks.*.mlp.fc1"),
        Row(f"{_BLOCK}.mlp.2", "blocks.*.mlp.fc2"),
        Row("head.norm", "fc_norm"),
        Row("head.mlp.0", "head"),
        Row("bridge.adapter_in", "llama_dim_mapper1"),
        Row("bridge.adapter_out", "llama_dim_mapper2"),
    ),
    describe,
)
"""Official class ``VisionTransformer`` of VideoMAE, and that of LM4VisualEncoding."""

WITH_LLAMA = Layout(
    title="VideoMAE with a frozen LLaMA block (LM4VisualEncoding)",
    marker="llama_dim_mapper1",
    table=TABLE,
    ignored={"llama": "frozen language-model block: the model has its own"},
    fresh=("bridge.block",),
    block="llama",
)

FINE_TUNED = Layout(title="VideoMAE, fine-tuned", marker="blocks.0.attn.q_bias", table=TABLE, fresh=("bridge",))

PRE_TRAINED = Layout(
    title="VideoMAE, pre-trained",
    marker="encoder.blocks",
    table=TABLE,
    prefix="encoder.",
    ignored={"encoder.norm": _NORM, **dict.fromkeys(("decoder", "encoder_to_decoder", "mask_token"), _DECODER)},
    fresh=("bridge", "head"),
)


def _of_transformers(name: str, marker: str, prefix: str, ignored: Mapping[str, str], *fresh: str) -> Layout:
    return Layout(
        title=f"{name} of transformers (encoder.heads: 6 for published small ones, whose config.json says 16)",
        marker=marker,
        table=NameTable(VideoMAE, rows(prefix), describe),
        ignored=ignored,
        fresh=("bridge", *fresh),
        rewrite=rewritten,
    )


_PROJECTION = "embeddings.patch_embeddings.projection"
OF_TRANSFORMERS = (
    _of_transformers(
        "VideoMAEForPreTraining",
        "decoder.decoder_layers",
        "videomae.",
        {"videomae.layernorm": _NORM, **PRE_TRAINED.ignored},
        "head",
    ),
    _of_transformers("VideoMAEForVideoClassification", f"videomae.{_PROJECTION}", "videomae.", {}),
    _of_transformers("VideoMAEModel", _PROJECTION, "", {"layernorm": _NORM}, "head"),
)

LAYOUTS = (WITH_LLAMA, FINE_TUNED, PRE_TRAINED, *OF_TRANSFORMERS)
"""In the order in which a file is compared with them."""

register_checkpoints(TABLE, LAYOUTS)
