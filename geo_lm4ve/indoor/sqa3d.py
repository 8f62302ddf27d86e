"""SQA3D: situated questions about ScanNet's scans, with one short answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from geo_lm4ve.answering.files.vocabulary import read_vocabulary
from geo_lm4ve.config import register
from geo_lm4ve.indoor.data_config import RoomQuestionsConfig
from geo_lm4ve.indoor.stored.folder import ANSWERS, CLASSES
from geo_lm4ve.indoor.stored.questions import SQA3D, Layout
from geo_lm4ve.indoor.stored.tables import read_counts
from geo_lm4ve.indoor.targets import AnswerTargets


@register("data", "sqa3d")
@dataclass
class SQA3DConfig(RoomQuestionsConfig):
    """SQA3D (Ma et al., ICLR 2023): one right answer, of the 706 of ``answer_dict.json`` where that was prepared."""

    layout: ClassVar[Layout] = SQA3D

    name: str = "sqa3d"
    root: str = "datasets/sqa3d/processed"

    def targets(self) -> AnswerTargets:
        """The given vocabulary, else ``answer_dict.json``, else all answers of train."""
        path = self.folder / CLASSES if self.vocabulary is None else Path(self.vocabulary).expanduser()
        if self.vocabulary is None and not path.is_file():
            return AnswerTargets.one_hot(tuple(read_counts(self.folder / ANSWERS)))
        return AnswerTargets.one_hot(tuple(read_vocabulary(path)))
