"""Names of ViT in transformers: those of its files, and those that its modules have in newer releases."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from geo_lm4ve.blocks.vit_names import IN_FILES
from geo_lm4ve.pretrained.joining import joined
from geo_lm4ve.pretrained.layouts import Row

_EMBED, _BLOCK = "encoder.stages.embed", "encoder.stages.block_*"
_LAYER = re.compile(r"((?:vit\.)?)(?:encoder\.layer|layers)\.(\d+)\.(.+)\.(weight|bias)")
_APART = [f"attention.attention.{name}" for name in ("query", "key", "value")]
_TOGETHER = "attention.attention.query_key_value"


def rows(prefix: str) -> tuple[Row, ...]:
    """Our names and those of a file after ``rewritten``; ``prefix`` is before all names of its network."""
    layer = f"{prefix}encoder.layer.*"
    return (
        Row(f"{_EMBED}.cls_token", f"{prefix}embeddings.cls_token"),
        Row(f"{_EMBED}.position", f"{prefix}embeddings.position_embeddings"),
        Row(f"{_EMBED}.projection", f"{prefix}embeddings.patch_embeddings.projection"),
        Row(f"{_BLOCK}.attention_norm", f"{layer}.layernorm_before"),
        Row(f"{_BLOCK}.attention.qkv", f"{layer}.{_TOGETHER}"),
        Row(f"{_BLOCK}.attention.out", f"{layer}.attention.output.dense"),
        Row(f"{_BLOCK}.mlp_norm", f"{layer}.layernorm_after"),
        Row(f"{_BLOCK}.mlp.0", f"{layer}.intermediate.dense"),
        Row(f"{_BLOCK}.mlp.2", f"{layer}.output.dense"),
        Row("head.norm", f"{prefix}layernorm"),
        Row("head.mlp.0", "classifier"),
    )


def rewritten(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a ViT in the names of files, queries, keys and values in one."""
    return joined({_in_files(key): value for key, value in state.items()}, _APART, _TOGETHER)


def _in_files(key: str) -> str:
    if (match := _LAYER.fullmatch(key)) is None:
        return key
    prefix, layer, part, kind = match.groups()
    return f"{prefix}encoder.layer.{layer}.{IN_FILES.get(part, part)}.{kind}"
