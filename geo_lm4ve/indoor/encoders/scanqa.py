"""ScanQA's encoder: VoteNet, an LSTM and MCAN (arXiv 2112.10482)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from torch import nn

from geo_lm4ve.config import register
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.encoders.config import DETECTION, FUSED_QUESTION, OBJECTS, ROOM_OF, RoomEncoderConfig
from geo_lm4ve.indoor.encoders.detect import Detect
from geo_lm4ve.indoor.encoders.fusion import Fusion
from geo_lm4ve.indoor.encoders.inputs import room_batch
from geo_lm4ve.parts.encoder import Encoder


@register("encoder", "scanqa")
@dataclass
class ScanQaConfig(RoomEncoderConfig):
    """ScanQA's network but for its heads (official class ``ScanQA``, models/qa_module.py).

    Its stages are ``detect`` (tokens ``objects`` and ``question``) and ``fusion``, after which the tokens are the
    objects alone and the question's words go on in the context. Situations are not read.
    """

    offers: ClassVar[frozenset[str] | None] = frozenset({OBJECTS, FUSED_QUESTION, DETECTION, ROOM_OF})
    default_head: ClassVar[str] = "scanqa"
    published_answers: ClassVar[int] = 8864

    name: str = "scanqa"

    def build(self) -> ScanQa:
        """The encoder with PyTorch's default initialisation, as the official one has."""
        return ScanQa(self)


class ScanQa(Encoder):
    """RoomBatch -> TokenSet, in the stages ``detect``, ``fusion``."""

    def __init__(self, config: ScanQaConfig):
        super().__init__()
        self.features = tuple(config.features)
        self.stages = nn.ModuleDict({"detect": Detect(config), "fusion": Fusion(config)})
        self.dims = dict.fromkeys(self.stages, config.hidden)

    @property
    def chosen(self) -> Mapping[str, str]:
        """See Encoder.chosen: what makes vectors of words, and whose boxes the objects are."""
        return cast(Detect, self.stages["detect"]).chosen

    def taken(self, given: Any) -> RoomBatch:
        """Points (S, N, 3 + C) with questions, or a RoomBatch; see ``inputs.room_batch``."""
        return room_batch(given, self.features, situated=False)
