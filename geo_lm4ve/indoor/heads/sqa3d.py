"""SQA3D's heads: the answer, and where the asker stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from geo_lm4ve.config import register
from geo_lm4ve.indoor.detection import RoomAnswers
from geo_lm4ve.indoor.encoders.config import DETECTION, FUSED_QUESTION, FUSED_SITUATION, OBJECTS, ROOM_OF
from geo_lm4ve.indoor.encoders.mcan import DROPOUT
from geo_lm4ve.indoor.heads.pooling import AttentionPool, classifier, words_of
from geo_lm4ve.indoor.heads.scanqa import RoomHeadConfig
from geo_lm4ve.parts.head import Head
from geo_lm4ve.tokens import TokenSet

POSE = 7
"""Numbers of a pose: position x, y, z [m] and quaternion x, y, z, w."""


@register("head", "sqa3d")
@dataclass
class Sqa3dHeadConfig(RoomHeadConfig):
    """Official parts ``aux_reg`` to ``answer_cls`` of ScanQA/models/sqa_module.py; hidden layers as wide as tokens.

    Attributes:
        pose: also say where the asker stands (the auxiliary task of the published result).
    """

    default_outputs: ClassVar[int | None] = 706

    name: str = "sqa3d"
    pose: bool = True

    def needs(self) -> frozenset[str] | None:
        """Objects and both texts, and what the objects are."""
        return frozenset({OBJECTS, FUSED_QUESTION, FUSED_SITUATION, DETECTION, ROOM_OF})

    def build(self, dim: int, outputs: int) -> Sqa3dHead:
        """The head for tokens of width ``dim`` and ``outputs`` answers."""
        return Sqa3dHead(self, dim, outputs)


class Sqa3dHead(Head):
    """TokenSet -> RoomAnswers, of which neither references nor classes.

    Attributes:
        pose: None where the head does not say.
        unused_reference, unused_question: never called, in the official code neither; here so that official checkpoints
            load and are written whole. They do not train.
    """

    reads, norm_first = (OBJECTS,), False

    def __init__(self, config: Sqa3dHeadConfig, dim: int, outputs: int):
        super().__init__()
        self.dim = dim
        self.situation, self.question, self.objects = (AttentionPool(dim) for _ in range(3))
        self.pose: nn.Sequential | None = classifier(4 * dim, dim, POSE, DROPOUT) if config.pose else None
        self.unused_reference = classifier(dim, dim, 1, DROPOUT).requires_grad_(False)
        self.unused_question = AttentionPool(dim).requires_grad_(False)
        self.answer = classifier(6 * dim, dim, outputs, config.dropout)

    def forward(self, tokens: TokenSet) -> RoomAnswers:
        """Scores of answers, and the pose."""
        situation = self.situation(words_of(tokens, FUSED_SITUATION))
        question = self.question(words_of(tokens, FUSED_QUESTION))
        objects = self.objects(tokens.select(OBJECTS))
        return RoomAnswers(
            answers=self.answer(torch.cat([situation, question, objects], -1)),
            references=None,
            classes=None,
            poses=None if self.pose is None else self.pose(torch.cat([situation, objects], -1)),
            detection=tokens.context[DETECTION],
            room_of=tokens.context[ROOM_OF],
        )
