"""Names of VideoMAE in transformers: those of its files, and those that its modules have in newer releases.

VideoMAE's weights were trained with 6 heads (small) and norms of epsilon 1e-6, as ours are; in transformers their
configurations say 16 heads, and the norms have an epsilon of 1e-12, ``fc_norm`` of 1e-5. For weights that were
fine-tuned there, set ``encoder.heads``, ``encoder.epsilon`` and ``head.norm_epsilon`` as they were.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from geo_lm4ve.pretrained.joining import joined
from geo_lm4ve.pretrained.layouts import Row

_EMBED, _BLOCK = "encoder.stages.embed", "encoder.stages.block_*"
_ATTENTION = "attention.attention"
_APART, _TOGETHER = [f"{_ATTENTION}.{name}" for name in ("query", "key", "value")], f"{_ATTENTION}.query_key_value"
_BIAS = re.compile(rf"(.*\.{re.escape(_ATTENTION)}\.)(query|value)\.bias")


def rows(prefix: str) -> tuple[Row, ...]:
    """Our names and those of a file after ``rewritten``; ``prefix`` is before all names of its network."""
    layer = f"{prefix}encoder.layer.*"
    return (
        Row(f"{_EMBED}.projection", f"{prefix}embeddings.patch_embeddings.projection"),
        Row(f"{_BLOCK}.attention_norm", f"{layer}.layernorm_before"),
        Row(f"{_BLOCK}.attention.qkv.weight", f"{layer}.{_TOGETHER}.weight"),
        Row(f"{_BLOCK}.attention.qkv.q_bias", f"{layer}.{_ATTENTION}.q_bias"),
        Row(f"{_BLOCK}.attention.qkv.v_bias", f"{layer}.{_ATTENTION}.v_bias"),
        Row(f"{_BLOCK}.attention.out", f"{layer}.attention.output.dense"),
        Row(f"{_BLOCK}.mlp_norm", f"{layer}.layernorm_after"),
        Row(f"{_BLOCK}.mlp.0", f"{layer}.intermediate.dense"),
        Row(f"{_BLOCK}.mlp.2", f"{layer}.output.dense"),
        Row("head.norm", "fc_norm"),
        Row("head.mlp.0", "classifier"),
    )


def rewritten(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a VideoMAE in the names of files, the weights of queries, keys and values in one."""
    return joined({_in_files(key): value for key, value in state.items()}, _APART, _TOGETHER)


def _in_files(key: str) -> str:
    match = _BIAS.fullmatch(key)
    return f"{match[1]}{match[2][0]}_bias" if match else key
