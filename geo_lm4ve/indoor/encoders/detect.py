"""The first stage: objects of each scan once, words of each question, side by side as tokens."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float
from torch import Tensor, nn

from geo_lm4ve.calls import InputError
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.encoders.config import DETECTION, OBJECTS, QUESTION, ROOM_OF, SITUATION, RoomEncoderConfig
from geo_lm4ve.indoor.encoders.reader import Reader
from geo_lm4ve.indoor.encoders.votenet import VoteNet
from geo_lm4ve.language.texts import Texts
from geo_lm4ve.tokens import Lengths, TokenSet

Part = tuple[Float[Tensor, "b n d"], Bool[Tensor, "b n"]]


class Detect(nn.Module):
    """RoomBatch -> TokenSet with the spans ``objects`` and ``question``; ``situation`` too where it is read.

    Objects are those of the scan of each question; a proposal that is no object counts as padding. ``context`` has the
    ``detection`` in the S scans and ``room_of`` (B,).
    """

    def __init__(self, config: RoomEncoderConfig):
        super().__init__()
        self.votenet = VoteNet(config)
        self.object_linear = nn.Linear(self.votenet.dim, config.hidden)
        self.reader = Reader(config)
        self.proposals = config.proposals.name

    @property
    def chosen(self) -> Mapping[str, str]:
        """See Encoder.chosen."""
        return {"text": self.reader.text.describe(), "proposals": self.proposals}

    def forward(self, batch: RoomBatch) -> TokenSet:
        """Tokens of B questions; the detector sees each of the S scans once."""
        batch = batch.settled()
        detection, features = self.votenet(batch)
        objects = F.gelu(self.object_linear(features))
        room_of = torch.tensor(batch.room_of).to(objects.device, non_blocking=True)
        parts = {OBJECTS: (objects[room_of], detection.is_object[room_of])}
        parts |= {span: self.reader(texts) for span, texts in self.texts(batch).items()}
        return _joined(parts).with_context(**{DETECTION: detection, ROOM_OF: room_of})

    def texts(self, batch: RoomBatch) -> Mapping[str, Texts]:
        """What is read, by the span of its words."""
        return {QUESTION: batch.questions}


class DetectSituated(Detect):
    """The same with the span ``situation`` before ``question`` (SQA3D).

    Attributes:
        unused_situation_linear, unused_question_linear: never called, in the official code neither; here so that
            official checkpoints load and are written whole. They do not train.
    """

    def __init__(self, config: RoomEncoderConfig):
        super().__init__(config)
        self.unused_situation_linear = nn.Linear(config.hidden, config.hidden).requires_grad_(False)
        self.unused_question_linear = nn.Linear(config.hidden, config.hidden).requires_grad_(False)

    def texts(self, batch: RoomBatch) -> Mapping[str, Texts]:
        """Both texts; InputError where there are no situations."""
        if batch.situations is None:
            raise InputError(
                "this model reads a situation beside every question, and the batch has none: give a RoomBatch with "
                "situations, or take encoder=scanqa, which reads none"
            )
        return {SITUATION: batch.situations, QUESTION: batch.questions}


def _joined(parts: Mapping[str, Part]) -> TokenSet:
    spans, end = {}, 0
    for name, (features, _) in parts.items():
        spans[name] = (end, end + features.shape[1])
        end += features.shape[1]
    features = torch.cat([features for features, _ in parts.values()], 1)
    valid = torch.cat([valid for _, valid in parts.values()], 1)
    return TokenSet(features, valid, spans, known=at_most(len(features), spans))


def at_most(size: int, spans: Mapping[str, tuple[int, int]]) -> Lengths:
    """Lengths of a set with objects: which proposals are some is known on the device alone, so all count as valid."""
    total = max(stop for _, stop in spans.values())
    return Lengths((total,) * size, {name: (stop - start,) * size for name, (start, stop) in spans.items()})
