"""Names of the VectorNet of ziqipang/StreamingForecasting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from geo_lm4ve.pretrained.architecture import count, size, widths
from geo_lm4ve.pretrained.layouts import Layout, NameTable, Row, register_checkpoints
from geo_lm4ve.traffic.encoders.vectornet import VectorNet

_SUBGRAPH, _GLOBAL = "encoder.stages.subgraph", "encoder.stages.global.*"
_RESIDUAL = {"branch.0": "linear1", "branch.1": "norm1", "branch.3": "linear2", "branch.4": "norm2"}
_DECODERS = {"modes.*": "preds.*", "single": "single_pred", "scores.classifier": "classifier"}


def describe(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """See ``NameTable``; ``num_classes`` are the future frames, of two coordinates each."""
    coordinates = size(state, "head.single.1.weight")
    return {
        "encoder.widths": widths(state, f"{_SUBGRAPH}.agents.levels.*.0.weight"),
        "encoder.global_depth": count(state, _GLOBAL),
        "head.modes": count(state, "head.modes.*"),
        "num_classes": coordinates // 2 if coordinates else None,
    }


TABLE = NameTable(
    VectorNet,
    (
        Row(f"{_SUBGRAPH}.agents.levels", "actor_subgraphs.encoders"),
        Row(f"{_SUBGRAPH}.lanes.levels", "lane_subgraphs.encoders"),
        Row(f"{_GLOBAL}.query", "globalgraphs.global_attention_layers.*.q_layer"),
        Row(f"{_GLOBAL}.key", "globalgraphs.global_attention_layers.*.k_layer"),
        Row(f"{_GLOBAL}.value", "globalgraphs.global_attention_layers.*.v_layer"),
        Row(f"{_GLOBAL}.attended.0", "globalgraphs.global_attention_layers.*.norm.0"),
        Row(f"{_GLOBAL}.attended.2", "globalgraphs.linear_cross_attn_layers.*.0"),
        Row(f"{_GLOBAL}.attended.3", "globalgraphs.linear_cross_attn_layers.*.1"),
        Row(f"{_GLOBAL}.kept", "globalgraphs.linears.*"),
        Row("head.scores.end", "decoder.delta_fusion.delta_embedding"),
        Row("head.scores.fusion", "decoder.delta_fusion.mapping"),
        *(
            Row(f"head.{ours}.0.{layer}", f"decoder.{official}.0.{name}")
            for ours, official in _DECODERS.items()
            for layer, name in _RESIDUAL.items()
        ),
        *(Row(f"head.{ours}.1", f"decoder.{official}.1") for ours, official in _DECODERS.items()),
    ),
    describe,
)

LAYOUTS = (Layout(title="VectorNet", marker="globalgraphs", table=TABLE, fresh=("bridge",)),)

register_checkpoints(TABLE, LAYOUTS)
