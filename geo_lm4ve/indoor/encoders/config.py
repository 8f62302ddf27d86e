"""What the configs of all encoders of questions about scans share: the detector, the texts, the width."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from geo_lm4ve.config import ConfigError
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.encoders.samples import sample_rooms
from geo_lm4ve.indoor.features import GivesRooms, check_kinds, width
from geo_lm4ve.language.glove_text import SITE
from geo_lm4ve.language.question_words import WordRule
from geo_lm4ve.language.text_encoders import TextKind
from geo_lm4ve.parts.data import DataConfig
from geo_lm4ve.parts.encoder import EncoderConfig

OBJECTS, QUESTION, SITUATION = "objects", "question", "situation"
"""Spans of the tokens after the first stage; after the last one there are only the objects."""
DETECTION, ROOM_OF = "detection", "room_of"
"""Context entries: the ``Detection`` in S scans; (B,) row of the scan of each question."""
FUSED_QUESTION, FUSED_SITUATION = "fused_question", "fused_situation"
"""Context entries after the last stage: the words, as a TokenSet with the span ``question`` or ``situation``."""


class Proposals(Enum):
    """Whose boxes the objects are: the detector's, or the true ones (an easier task: never compare the two)."""

    predicted = "predicted"
    gt = "gt"


@dataclass
class RoomEncoderConfig(EncoderConfig):
    """Base of the configs of ScanQA's and SQA3D's encoder; the defaults are the published sizes of both.

    Attributes:
        hidden: width of the tokens, and of the LSTM.
        heads: attention heads; divides ``hidden``.
        layers: attention layers of each kind.
        features: kinds (``indoor.features.KINDS``) that the detector takes behind x, y, z.
        width: of the detector's first layer; its points have up to 4 and its proposals 2 times as much.
        seeds: points that vote; the first set abstraction keeps twice as many, so that scans need as many points.
        neighbours: points of a neighbourhood in the first set abstraction; a half of it in the second, then a quarter.
        num_proposals: proposals per scan, fewer than ``seeds``.
        proposals: whose boxes they are, ``predicted`` or ``gt``; with ``gt`` there are as many as true objects.
        text: what makes vectors of words.
        text_source: its file, folder or id; None: as the kind has it.
        text_trained: fine-tune a pretrained text encoder, which is frozen otherwise.
        text_rule: how texts fall apart into words, for vectors of whole words.
        max_words: words of a text at most; the others are cut off.
    """

    takes: ClassVar[type | None] = RoomBatch
    published_answers: ClassVar[int]
    reads_situations: ClassVar[bool] = False

    hidden: int = 256
    heads: int = 8
    layers: int = 2
    features: list[str] = field(default_factory=lambda: ["height"])
    width: int = 64
    seeds: int = 1024
    neighbours: int = 64
    num_proposals: int = 256
    proposals: Proposals = Proposals.predicted
    text: TextKind = TextKind.glove
    text_source: str | None = None
    text_trained: bool = False
    text_rule: WordRule = WordRule.plain
    max_words: int = 36

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        for key in ("hidden", "heads", "layers", "width", "num_proposals", "max_words"):
            if getattr(self, key) < 1:
                raise ConfigError(f"encoder.{key} must be at least 1, not {getattr(self, key)}")
        if self.hidden % self.heads:
            raise ConfigError(f"encoder.hidden {self.hidden} must be a multiple of encoder.heads {self.heads}")
        if self.seeds < 16 or self.seeds % 4:
            raise ConfigError(f"encoder.seeds must be a multiple of 4 and at least 16, not {self.seeds}")
        if self.neighbours < 4 or self.neighbours % 4:
            raise ConfigError(f"encoder.neighbours must be a multiple of 4, not {self.neighbours}")
        if self.num_proposals > self.seeds:
            raise ConfigError(f"encoder.num_proposals {self.num_proposals} exceeds encoder.seeds {self.seeds}")
        check_kinds("encoder.features", self.features)

    @property
    def channels(self) -> int:
        """Numbers per point besides the coordinates."""
        return width(self.features)

    @property
    def fewest_points(self) -> int:
        """Points that a scan must have."""
        return 2 * self.seeds

    def lacks(self, data: DataConfig | type[DataConfig]) -> str:
        """See EncoderConfig.lacks: data give just the features that are taken, and situations to read."""
        if isinstance(data, type) or not isinstance(data, GivesRooms):
            return ""
        if self.reads_situations and not data.situated:
            return (
                f"the encoder reads a situation beside every question, data={data.name} has none: use encoder=scanqa, "
                "or data with situations (data=sqa3d)"
            )
        if data.features == self.features:
            return ""
        given, taken = (",".join(kinds) for kinds in (data.features, self.features))
        return (
            f"the data have the features {given or 'none'}, the encoder takes {taken or 'none'}: set "
            f"data.features=[{taken}] or encoder.features=[{given}]"
        )

    def look(self, data: DataConfig) -> None:
        """See EncoderConfig.look: questions that come as they were typed need a file of GloVe, where that is chosen."""
        if isinstance(data, GivesRooms) and self.text is TextKind.glove and self.text_source is None:
            raise ConfigError(
                "encoder.text=glove looks words up in a file of yours: set encoder.text_source=glove.6B.300d.txt (in "
                f"glove.6B.zip of {SITE}), or take encoder.text=minilm or encoder.text=learned"
            )

    def sample_batch(self, size: int = 2, seed: int = 0) -> RoomBatch:
        """Questions about half as many scans, with situations, objects and answers; as vectors where GloVe is asked."""
        spoken = self.text is not TextKind.glove
        return sample_rooms(size, self.fewest_points, self.features, self.published_answers, seed, spoken=spoken)
