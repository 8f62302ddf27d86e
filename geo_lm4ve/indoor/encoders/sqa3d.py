"""SQA3D's encoder: ScanQA's with a second stream of words, the situation that the asker is in (arXiv 2210.07474)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from torch import nn

from geo_lm4ve.config import register
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.encoders.config import (
    DETECTION,
    FUSED_QUESTION,
    FUSED_SITUATION,
    OBJECTS,
    ROOM_OF,
    RoomEncoderConfig,
)
from geo_lm4ve.indoor.encoders.detect import DetectSituated
from geo_lm4ve.indoor.encoders.fusion import SituatedFusion
from geo_lm4ve.indoor.encoders.inputs import room_batch
from geo_lm4ve.parts.encoder import Encoder


@register("encoder", "sqa3d")
@dataclass
class Sqa3dConfig(RoomEncoderConfig):
    """SQA3D's network but for its heads (official class ``ScanQA``, ScanQA/models/sqa_module.py).

    Its stages are ``detect`` (tokens ``objects``, ``situation`` and ``question``) and ``fusion``, after which the
    tokens are the objects alone and the words go on in the context. One LSTM and one linear layer read both texts.
    """

    offers: ClassVar[frozenset[str] | None] = frozenset({OBJECTS, FUSED_QUESTION, FUSED_SITUATION, DETECTION, ROOM_OF})
    default_head: ClassVar[str] = "sqa3d"
    published_answers: ClassVar[int] = 706
    reads_situations: ClassVar[bool] = True

    name: str = "sqa3d"
    max_words: int = 100

    def build(self) -> Sqa3d:
        """The encoder with PyTorch's default initialisation, as the official one has."""
        return Sqa3d(self)


class Sqa3d(Encoder):
    """RoomBatch -> TokenSet, in the stages ``detect``, ``fusion``."""

    def __init__(self, config: Sqa3dConfig):
        super().__init__()
        self.features = tuple(config.features)
        self.stages = nn.ModuleDict({"detect": DetectSituated(config), "fusion": SituatedFusion(config)})
        self.dims = dict.fromkeys(self.stages, config.hidden)

    @property
    def chosen(self) -> Mapping[str, str]:
        """See Encoder.chosen: what makes vectors of words, and whose boxes the objects are."""
        return cast(DetectSituated, self.stages["detect"]).chosen

    def taken(self, given: Any) -> RoomBatch:
        """Points (S, N, 3 + C) with questions and situations, or a RoomBatch; see ``inputs.room_batch``."""
        return room_batch(given, self.features, situated=True)
