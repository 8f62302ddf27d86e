"""Names of SQA3D's published models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from geo_lm4ve.indoor.checkpoints import rows
from geo_lm4ve.indoor.checkpoints.rows import FINGERPRINT, TEXT, alone, classifiers, detector, guided, pool
from geo_lm4ve.indoor.encoders.sqa3d import Sqa3d
from geo_lm4ve.pretrained.layouts import Layout, NameTable, Row, register_checkpoints

_DETECT = "encoder.stages.detect"


def describe(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """See ``NameTable``: as of ScanQA, and whether the auxiliary task is there."""
    found = rows.describe(state)
    return {**found, "head.pose": "head.pose.0.weight" in state if found["encoder.hidden"] else None}


TABLE = NameTable(
    Sqa3d,
    (
        *detector(),
        Row(f"{_DETECT}.unused_situation_linear", "s_feat_linear.0"),
        Row(f"{_DETECT}.unused_question_linear", "q_feat_linear.0"),
        *alone("situation", "enc_list_s"),
        *alone("question", "enc_list_q"),
        *guided("to_situation", "dec_list"),
        *guided("to_question", "dec_list_2"),
        *pool("situation", "attflat_s"),
        *pool("question", "attflat_q"),
        *pool("objects", "attflat_visual"),
        *pool("unused_question", "attflat_lstm_q"),
        *classifiers({"unused_reference": "object_cls", "pose": "aux_reg", "answer": "answer_cls"}),
    ),
    describe,
    left_out=(FINGERPRINT,),
)
"""Official class ``ScanQA``, ScanQA/models/sqa_module.py of SQA3D."""

LAYOUTS = (Layout(title="SQA3D", marker="enc_list_s", table=TABLE, fresh=("bridge", TEXT)),)

register_checkpoints(TABLE, LAYOUTS)
