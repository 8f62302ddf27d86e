"""Names of a whole Point-MAE as its pre-training saves it, and our own files of masked point modelling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from geo_lm4ve.points.checkpoints import point_bert
from geo_lm4ve.points.encoders.masked import MaskedPointBert
from geo_lm4ve.pretrained.architecture import OUTPUTS, count, size
from geo_lm4ve.pretrained.layouts import Layout, NameTable, Row, register_checkpoints

_EMBED, _DECODER = "encoder.stages.embed", "decoder of the pre-training"


def describe(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """See ``NameTable``; the outputs are the points that are predicted for a group."""
    points = size(state, "head.prediction.weight")
    encoder = {key: value for key, value in point_bert.describe(state).items() if key.startswith("encoder.")}
    return {**encoder, "head.depth": count(state, "head.blocks.*"), OUTPUTS: points and points // 3}


def _encoder_rows() -> tuple[Row, ...]:
    """Point-BERT's rows of encoder and final norm, below ``MAE_encoder``; there is no class token."""
    kept = [row for row in point_bert.TABLE.rows if row.ours.startswith("encoder.") or row.ours == "head.norm"]
    return tuple(Row(row.ours, f"MAE_encoder.{row.official}", row.conv) for row in kept if "cls_" not in row.ours)


TABLE = NameTable(
    MaskedPointBert,
    (
        *_encoder_rows(),
        Row("head.mask_token", "mask_token"),
        Row("head.position_mlp", "decoder_pos_embed"),
        Row("head.blocks.*.attention_norm", "MAE_decoder.blocks.*.norm1"),
        Row("head.blocks.*.attention.qkv", "MAE_decoder.blocks.*.attn.qkv"),
        Row("head.blocks.*.attention.out", "MAE_decoder.blocks.*.attn.proj"),
        Row("head.blocks.*.mlp_norm", "MAE_decoder.blocks.*.norm2"),
        Row("head.blocks.*.mlp.0", "MAE_decoder.blocks.*.mlp.fc1"),
        Row("head.blocks.*.mlp.2", "MAE_decoder.blocks.*.mlp.fc2"),
        Row("head.decoder_norm", "MAE_decoder.norm"),
        Row("head.prediction", "increase_dim.0", conv=1),
    ),
    describe,
)
"""Official class ``Point_MAE``."""

WHOLE = Layout(title="Point-MAE, pre-trained, with its decoder", marker="MAE_encoder", table=TABLE, fresh=("bridge",))

OURS = Layout(
    title="geo_lm4ve, pre-trained (masked point modelling)",
    marker="head.mask_token",
    ignored={
        f"head.{name}": _DECODER for name in ("mask_token", "position_mlp", "blocks", "decoder_norm", "prediction")
    },
    fresh=(f"{_EMBED}.cls_token", f"{_EMBED}.cls_position", "head", "bridge"),
)
"""For a model with another head: encoder, bridge and final norm are taken on."""

register_checkpoints(TABLE, (WHOLE, OURS))
