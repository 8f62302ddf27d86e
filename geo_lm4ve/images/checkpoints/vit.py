"""Names of ViT in timm, DeiT, the paper's ViT with LLaMA, and transformers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from geo_lm4ve.images.checkpoints.vit_of_transformers import rewritten, rows
from geo_lm4ve.images.encoders.vit import ViT
from geo_lm4ve.pretrained.architecture import OUTPUTS, count, size
from geo_lm4ve.pretrained.layouts import Layout, NameTable, Row, register_checkpoints

_EMBED, _BLOCK, _FIRST = "encoder.stages.embed", "encoder.stages.block_*", "encoder.stages.block_0"


def describe(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """See ``NameTable``. The number of attention heads and drop path leave no trace in the weights."""
    dim, mlp = size(state, f"{_FIRST}.attention_norm.weight"), size(state, f"{_FIRST}.mlp.0.weight")
    halvings = sum(key.startswith(f"{_EMBED}.projection.") and key.endswith("running_mean") for key in state)
    patch = 1 << halvings if halvings else size(state, f"{_EMBED}.projection.weight", -1)
    tokens = size(state, f"{_EMBED}.position", 1)
    return {
        "encoder.dim": dim,
        "encoder.depth": count(state, _BLOCK),
        "encoder.patch": patch,
        "encoder.stem": "conv" if halvings else "patch" if patch else None,
        "encoder.size": math.isqrt(tokens - 1) * patch if tokens and patch else None,
        "encoder.mlp_ratio": mlp / dim if mlp and dim else None,
        OUTPUTS: size(state, "head.mlp.0.weight"),
    }


TABLE = NameTable(
    ViT,
    (
        Row(f"{_EMBED}.cls_token", "cls_token"),
        Row(f"{_EMBED}.position", "pos_embed"),
        Row(f"{_EMBED}.projection", "patch_embed.proj"),
        Row(f"{_BLOCK}.attention_norm", "blocks.*.norm1"),
        Row(f"{_BLOCK}.attention.qkv", "blocks.*.attn.qkv"),
        Row(f"{_BLOCK}.attention.out", "blocks.*.attn.proj"),
        Row(f"{_BLOCK}.mlp_norm", "blocks.*.norm2"),
        Row(f"{_BLOCK}.mlp.0", "blocks.*.mlp.fc1"),
        Row(f"{_BLOCK}.mlp.2", "blocks.*.mlp.fc2"),
        Row("head.norm", "norm"),
        Row("head.mlp.0", "head"),
        Row("bridge.adapter_in", "llama_dim_mapper1"),
        Row("bridge.adapter_out", "llama_dim_mapper2"),
    ),
    describe,
)
"""timm's ``VisionTransformer`` (DeiT's, too) and that of LM4VisualEncoding."""

WITH_LLAMA = Layout(
    title="ViT with a frozen LLaMA block (LM4VisualEncoding)",
    marker="llama_dim_mapper1",
    table=TABLE,
    ignored={"llama": "frozen language-model block: the model has its own"},
    fresh=("bridge.block",),
    block="llama",
)

CLASSIFIER = Layout(title="ViT classifier (timm, DeiT)", marker="patch_embed.proj", table=TABLE, fresh=("bridge",))

OF_TRANSFORMERS = tuple(
    Layout(
        title=f"{name} of transformers (made with norms of epsilon 1e-12: encoder.epsilon, head.norm_epsilon)",
        marker=f"{prefix}embeddings.patch_embeddings.projection",
        table=NameTable(ViT, rows(prefix), describe),
        ignored={f"{prefix}pooler": "makes one vector of an image in another way than a classifier"},
        fresh=("bridge", *fresh),
        rewrite=rewritten,
    )
    for name, prefix, fresh in (("ViTForImageClassification", "vit.", ()), ("ViTModel", "", ("head.mlp",)))
)

LAYOUTS = (WITH_LLAMA, CLASSIFIER, *OF_TRANSFORMERS)
"""In the order in which a file is compared with them."""

register_checkpoints(TABLE, LAYOUTS)
