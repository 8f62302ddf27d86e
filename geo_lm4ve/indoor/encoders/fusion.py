"""The last stage: words look at one another, objects at one another and at the words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from torch import nn

from geo_lm4ve.indoor.encoders.config import (
    DETECTION,
    FUSED_QUESTION,
    FUSED_SITUATION,
    OBJECTS,
    QUESTION,
    ROOM_OF,
    SITUATION,
    RoomEncoderConfig,
)
from geo_lm4ve.indoor.encoders.detect import at_most
from geo_lm4ve.indoor.encoders.mcan import GuidedLayer, SelfLayer
from geo_lm4ve.tokens import TokenSet


class Fusion(nn.Module):
    """MCAN's encoder and decoder: the last layer's words guide every layer of the objects (official ``MCAN_ED``).

    Attributes:
        question: layers of the question's words.
        to_question: layers of the objects that look at them.
    """

    def __init__(self, config: RoomEncoderConfig):
        super().__init__()
        self.question, self.to_question = _alone(config), _guided(config)

    def forward(self, tokens: TokenSet) -> TokenSet:
        """The objects, with their centres [m] as ``positions``; words go on in ``context["fused_question"]``."""
        question = _read(self.question, tokens.select(QUESTION))
        objects = _guide(self.to_question, tokens.select(OBJECTS), question)
        return _placed(objects).with_context(**{FUSED_QUESTION: question})


class SituatedFusion(Fusion):
    """Two streams of words: the objects look at the situation, then at the question (SQA3D).

    Attributes:
        situation: layers of the situation's words.
        to_situation: layers of the objects that look at them.
    """

    def __init__(self, config: RoomEncoderConfig):
        super().__init__(config)
        self.situation, self.to_situation = _alone(config), _guided(config)

    def forward(self, tokens: TokenSet) -> TokenSet:
        """As of ``Fusion``, and ``context["fused_situation"]``."""
        situation = _read(self.situation, tokens.select(SITUATION))
        question = _read(self.question, tokens.select(QUESTION))
        objects = _guide(self.to_situation, tokens.select(OBJECTS), situation)
        objects = _guide(self.to_question, objects, question)
        return _placed(objects).with_context(**{FUSED_QUESTION: question, FUSED_SITUATION: situation})


def _alone(config: RoomEncoderConfig) -> nn.ModuleList:
    return nn.ModuleList(SelfLayer(config.hidden, config.heads) for _ in range(config.layers))


def _guided(config: RoomEncoderConfig) -> nn.ModuleList:
    return nn.ModuleList(GuidedLayer(config.hidden, config.heads) for _ in range(config.layers))


def _read(layers: nn.ModuleList, words: TokenSet) -> TokenSet:
    """Words after layers of their own, without the context of the whole."""
    x = words.features
    for layer in cast(Iterable[SelfLayer], layers):
        x = layer(x, words.valid)
    return words.replace(features=x, context={})


def _guide(layers: nn.ModuleList, objects: TokenSet, words: TokenSet) -> TokenSet:
    x = objects.features
    for layer in cast(Iterable[GuidedLayer], layers):
        x = layer(x, objects.valid, words.features, words.valid)
    return objects.replace(features=x)


def _placed(objects: TokenSet) -> TokenSet:
    """Objects where their proposals are."""
    context = objects.context
    centers = context[DETECTION].center[context[ROOM_OF]]
    return objects.replace(positions=centers, known=at_most(len(centers), objects.spans))
