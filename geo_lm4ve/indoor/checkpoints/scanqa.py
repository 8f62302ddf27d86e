"""Names of ScanQA's published models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from geo_lm4ve.indoor.checkpoints import rows
from geo_lm4ve.indoor.checkpoints.rows import (
    FINGERPRINT,
    TEXT,
    alone,
    classifiers,
    detector,
    deviation_norm,
    guided,
    pool,
)
from geo_lm4ve.indoor.encoders.scanqa import ScanQa
from geo_lm4ve.pretrained.layouts import Layout, NameTable, register_checkpoints


def describe(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """See ``NameTable``: ScanQA's heads add nothing to what both networks tell."""
    return rows.describe(state)


TABLE = NameTable(
    ScanQa,
    (
        *detector(),
        *alone("question", "fusion_backbone.enc_list"),
        *guided("to_question", "fusion_backbone.dec_list"),
        *deviation_norm("head.norm", "fusion_norm"),
        *pool("objects", "attflat_visual"),
        *pool("question", "attflat_lang"),
        *classifiers({"reference": "object_cls", "object_class": "lang_cls", "answer": "answer_cls"}),
    ),
    describe,
    left_out=(FINGERPRINT,),
)
"""Official class ``ScanQA``, models/qa_module.py."""

LAYOUTS = (Layout(title="ScanQA", marker="fusion_backbone", table=TABLE, fresh=("bridge", TEXT)),)

register_checkpoints(TABLE, LAYOUTS)
