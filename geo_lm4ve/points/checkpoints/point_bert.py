"""Names of Point-BERT, Point-MAE and the paper's Point-BERT with LLaMA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from geo_lm4ve.points.checkpoints import published
from geo_lm4ve.points.encoders.point_bert import PointBert
from geo_lm4ve.pretrained.architecture import OUTPUTS, count, size, widths
from geo_lm4ve.pretrained.layouts import Layout, NameTable, Row, register_checkpoints

_EMBED, _BLOCK, _FIRST = "encoder.stages.embed", "encoder.stages.block_*", "encoder.stages.block_0"


def describe(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """See ``NameTable``. The number of attention heads, the groups and drop path leave no trace in the weights."""
    dim, mlp = size(state, f"{_FIRST}.attention_norm.weight"), size(state, f"{_FIRST}.mlp.0.weight")
    *hidden, outputs = widths(state, "head.mlp.*.weight") or (None,)
    batch_norm = count(state, "head.mlp.*.running_mean")
    return {
        "encoder.dim": dim,
        "encoder.depth": count(state, _BLOCK),
        "encoder.pointnet_width": size(state, f"{_EMBED}.pointnet.lift.weight"),
        "encoder.encoder_dim": size(state, f"{_EMBED}.pointnet.out.weight"),
        "encoder.mlp_ratio": mlp / dim if mlp and dim else None,
        "head.hidden": tuple(hidden),
        "head.norm": ("batch" if batch_norm else "none") if hidden else None,
        OUTPUTS: outputs,
    }


TABLE = NameTable(
    PointBert,
    (
        Row(f"{_EMBED}.cls_token", "cls_token"),
        Row(f"{_EMBED}.cls_position", "cls_pos"),
        Row(f"{_EMBED}.pointnet.lift", "encoder.first_conv.0", conv=1),
        Row(f"{_EMBED}.pointnet.lift_norm", "encoder.first_conv.1"),
        Row(f"{_EMBED}.pointnet.local", "encoder.first_conv.3", conv=1),
        Row(f"{_EMBED}.pointnet.joint", "encoder.second_conv.0", conv=1),
        Row(f"{_EMBED}.pointnet.joint_norm", "encoder.second_conv.1"),
        Row(f"{_EMBED}.pointnet.out", "encoder.second_conv.3", conv=1),
        Row(f"{_EMBED}.projection", "reduce_dim"),
        Row(f"{_EMBED}.position_mlp", "pos_embed"),
        Row(f"{_BLOCK}.attention_norm", "blocks.blocks.*.norm1"),
        Row(f"{_BLOCK}.attention.qkv", "blocks.blocks.*.attn.qkv"),
        Row(f"{_BLOCK}.attention.out", "blocks.blocks.*.attn.proj"),
        Row(f"{_BLOCK}.mlp_norm", "blocks.blocks.*.norm2"),
        Row(f"{_BLOCK}.mlp.0", "blocks.blocks.*.mlp.fc1"),
        Row(f"{_BLOCK}.mlp.2", "blocks.blocks.*.mlp.fc2"),
        Row("head.norm", "norm"),
        Row("head.mlp", "cls_head_finetune"),
        Row("bridge.adapter_in", "llama_dim_mapper1"),
        Row("bridge.adapter_out", "llama_dim_mapper2"),
    ),
    describe,
)
"""Official class ``PointTransformer`` of Point-BERT, Point-MAE (which has no ``reduce_dim``) and LM4VisualEncoding."""

PRETRAINED = Layout(
    title="Point-BERT, pre-trained (masked point modelling)",
    marker="transformer_q",
    table=TABLE,
    prefix="transformer_q.",
    ignored={
        "transformer_q.cls_head": "contrastive head of the pre-training",
        "transformer_k": "momentum copy of the encoder",
        "dvae": "tokenizer of the pre-training",
        "queue": "contrastive queue",
        "queue_ptr": "contrastive queue",
    },
    fresh=("head.mlp", "bridge"),
    extra=("mask_token", "lm_head"),
)

MAE_PRETRAINED = Layout(
    title="Point-MAE, pre-trained (masked autoencoding)",
    marker="MAE_encoder",
    table=TABLE,
    prefix="MAE_encoder.",
    ignored={
        "MAE_decoder": "decoder of the pre-training",
        "decoder_pos_embed": "decoder of the pre-training",
        "increase_dim": "reconstruction head of the pre-training",
        "mask_token": "mask token of the pre-training",
    },
    fresh=(f"{_EMBED}.cls_token", f"{_EMBED}.cls_position", "head.mlp", "bridge"),
)

WITH_LLAMA = Layout(
    title="Point-BERT with a frozen LLaMA block (LM4VisualEncoding)",
    marker="llama_dim_mapper1",
    table=TABLE,
    ignored={"llama": "frozen language-model block: the model has its own"},
    fresh=("bridge.block",),
    block="llama",
    published=published.WITH_LLAMA,
)

FINE_TUNED = Layout(
    title="Point-BERT or Point-MAE, fine-tuned classifier",
    marker="cls_head_finetune",
    table=TABLE,
    fresh=("bridge",),
    published=published.FINE_TUNED,
)

LAYOUTS = (PRETRAINED, MAE_PRETRAINED, WITH_LLAMA, FINE_TUNED)
"""In the order in which a file is compared with them."""

register_checkpoints(TABLE, LAYOUTS)
