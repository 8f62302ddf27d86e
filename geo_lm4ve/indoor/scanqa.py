"""ScanQA: questions about ScanNet's scans with free answers and the objects that they are about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from geo_lm4ve.answering.files.vocabulary import read_vocabulary
from geo_lm4ve.config import register
from geo_lm4ve.indoor.data_config import RoomQuestionsConfig
from geo_lm4ve.indoor.stored.folder import ANSWERS
from geo_lm4ve.indoor.stored.questions import SCANQA, Layout
from geo_lm4ve.indoor.stored.tables import read_counts
from geo_lm4ve.indoor.targets import AnswerTargets


@register("data", "scanqa")
@dataclass
class ScanQAConfig(RoomQuestionsConfig):
    """ScanQA (Azuma et al., CVPR 2022): an answer is worth 0.3, 0.6, 0.9 or 1 by how often train gives it in all."""

    layout: ClassVar[Layout] = SCANQA

    name: str = "scanqa"
    root: str = "datasets/scanqa/processed"

    def targets(self) -> AnswerTargets:
        """All answers of train, or those of a given vocabulary: one that train never gives counts as given once."""
        counts = read_counts(self.folder / ANSWERS)
        if self.vocabulary is None:
            return AnswerTargets.by_frequency(counts)
        given = read_vocabulary(Path(self.vocabulary).expanduser())
        return AnswerTargets.by_frequency({answer: counts.get(answer, 1) for answer in given})
