"""Names of decisionforce/mmTransformer: the released six-proposal model, raw or converted by its own script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from geo_lm4ve.pretrained.architecture import count, size
from geo_lm4ve.pretrained.layouts import Layout, NameTable, Row, register_checkpoints
from geo_lm4ve.traffic.encoders.mmtransformer import MmTransformer

_STAGE = "encoder.stages.agents_lanes"
_ATTENTION = {"query": "linears.0", "key": "linears.1", "value": "linears.2", "out": "linears.3"}
_ENCODERS = {"history.encoder": "hist_tf.encoder", "lane_encoder": "lane_enc", "social_encoder": "social_enc"}
_DECODERS = {
    "history.decoder": "hist_tf.decoder",
    "lane_decoder": "lane_dec",
    "unused_social_decoder": "social_dec",
}
_ENCODER_LAYER = {"attention": "self_attn"}, ("attention_norm", "mlp_norm")
_DECODER_LAYER = (
    {"self_attention": "self_attn", "cross_attention": "src_attn"},
    ("self_norm", "cross_norm", "mlp_norm"),
)
_MODULES = {
    "queries": "query_embed.weight",
    "history.embed": "hist_tf.src_embed.0.lut",
    "history.positions.table": "hist_tf.src_embed.1.pe",
    "position": "pos_emb",
    "history_position": "fusion1",
    "lane_embed": "lane_emb.lut",
    "summary": "dist_emb",
    "summary_position": "fusion2",
}
_HEAD = {
    "regression": "reg_mlp",
    "scores.0": "cls_FFN.w_1",
    "scores.2": "cls_FFN.w_2",
    "scores.3": "classification_layer.0",
    "scores.4": "classification_layer.1",
    "unused_distance_embedding": "dis_emb",
}


def describe(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """See ``NameTable``; ``num_classes`` are the future frames, of two coordinates each. Heads leave no trace."""
    coordinates = size(state, "head.regression.4.weight")
    return {
        "encoder.dim": size(state, f"{_STAGE}.queries", axis=1),
        "encoder.depth": count(state, f"{_STAGE}.lane_encoder.layers.*"),
        "encoder.mlp_dim": size(state, f"{_STAGE}.lane_encoder.layers.0.mlp.0.weight"),
        "encoder.lane_width": size(state, f"{_STAGE}.lane_net.levels.0.0.weight"),
        "encoder.position_dim": size(state, f"{_STAGE}.position.0.weight"),
        "encoder.proposals": size(state, f"{_STAGE}.queries"),
        "head.hidden": size(state, "head.scores.3.weight"),
        "num_classes": coordinates // 2 if coordinates else None,
    }


def _layers(ours: str, official: str, attentions: dict[str, str], norms: tuple[str, ...]) -> Iterator[Row]:
    """The rows of one stack of transformer layers."""
    yield Row(f"{ours}.norm", f"{official}.norm")
    ours, official = f"{ours}.layers.*", f"{official}.layers.*"
    for attention, name in attentions.items():
        for projection, linear in _ATTENTION.items():
            yield Row(f"{ours}.{attention}.{projection}", f"{official}.{name}.{linear}")
    for number, norm in enumerate(norms):
        yield Row(f"{ours}.{norm}", f"{official}.sublayer.{number}.norm")
    yield Row(f"{ours}.mlp.0", f"{official}.feed_forward.w_1")
    yield Row(f"{ours}.mlp.2", f"{official}.feed_forward.w_2")


def _table(root: str) -> NameTable:
    """All names, with what stands before those of the transformers."""
    rows = [Row(f"{_STAGE}.lane_net.levels.*", "subgraph.layer_seq.lmlp_*.mlp")]
    rows += [Row(f"{_STAGE}.{ours}", f"{root}.{official}") for ours, official in _MODULES.items()]
    rows += [Row(f"head.{ours}", f"{root}.prediction_header.{official}") for ours, official in _HEAD.items()]
    for stacks, layer in ((_ENCODERS, _ENCODER_LAYER), (_DECODERS, _DECODER_LAYER)):
        for ours, official in stacks.items():
            rows += _layers(f"{_STAGE}.{ours}", f"{root}.{official}", *layer)
    return NameTable(MmTransformer, tuple(rows), describe)


TABLE = _table("stacked_transformer")

LAYOUTS = (
    Layout(title="mmTransformer", marker="stacked_transformer", table=TABLE, fresh=("bridge",)),
    Layout(title="mmTransformer, as its training saved it", marker="STF", table=_table("STF"), fresh=("bridge",)),
)
"""In the order in which a file is compared with them."""

register_checkpoints(TABLE, LAYOUTS)
