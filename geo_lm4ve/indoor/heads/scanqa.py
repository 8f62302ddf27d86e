"""ScanQA's heads: which object a question is about, of which class it is, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.indoor.detection import RoomAnswers
from geo_lm4ve.indoor.encoders.config import DETECTION, FUSED_QUESTION, OBJECTS, ROOM_OF
from geo_lm4ve.indoor.encoders.mcan import DROPOUT, DeviationNorm
from geo_lm4ve.indoor.heads.pooling import AttentionPool, classifier, words_of
from geo_lm4ve.indoor.objects import CLASSES
from geo_lm4ve.parts.head import Head, HeadConfig
from geo_lm4ve.tokens import TokenSet


@dataclass
class RoomHeadConfig(HeadConfig):
    """Base of the configs of heads that answer.

    Attributes:
        dropout: of the answer's hidden units in training.
    """

    gives: ClassVar[type | None] = RoomAnswers

    dropout: float = 0.3

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"head.dropout must be at least 0 and below 1, not {self.dropout}")


@register("head", "scanqa")
@dataclass
class ScanQaHeadConfig(RoomHeadConfig):
    """Official parts ``attflat_visual`` to ``answer_cls`` of models/qa_module.py; hidden layers as wide as tokens."""

    default_outputs: ClassVar[int | None] = 8864

    name: str = "scanqa"

    def needs(self) -> frozenset[str] | None:
        """Objects and words, and what the objects are."""
        return frozenset({OBJECTS, FUSED_QUESTION, DETECTION, ROOM_OF})

    def build(self, dim: int, outputs: int) -> ScanQaHead:
        """The head for tokens of width ``dim`` and ``outputs`` answers."""
        return ScanQaHead(self, dim, outputs)


class ScanQaHead(Head):
    """TokenSet -> RoomAnswers, of which no poses."""

    reads, norm_first = (OBJECTS,), False

    def __init__(self, config: ScanQaHeadConfig, dim: int, outputs: int):
        super().__init__()
        self.dim = dim
        self.reference = classifier(dim, dim, 1, DROPOUT)
        self.objects, self.question = AttentionPool(dim), AttentionPool(dim)
        self.norm = DeviationNorm(2 * dim)
        self.object_class = classifier(2 * dim, dim, len(CLASSES), DROPOUT)
        self.answer = classifier(2 * dim, dim, outputs, config.dropout)

    def forward(self, tokens: TokenSet) -> RoomAnswers:
        """Scores of answers, classes and proposals; each proposal that is no object has the same score."""
        objects = tokens.select(OBJECTS)
        kept = torch.where(objects.valid[..., None], objects.features, 0.0)
        fused = self.norm(self.question(words_of(tokens, FUSED_QUESTION)) + self.objects(objects))
        return RoomAnswers(
            answers=self.answer(fused),
            references=self.reference(kept)[..., 0],
            classes=self.object_class(fused),
            poses=None,
            detection=tokens.context[DETECTION],
            room_of=tokens.context[ROOM_OF],
        )
