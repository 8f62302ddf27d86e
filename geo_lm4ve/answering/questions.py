"""Questions about scenes, their right answers and their types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Question:
    """One question of an annotation file.

    Attributes:
        id: as a text, also where the file has a number.
        scene: name of the scan.
        text: the question.
        answers: right answers; () where the file withholds them (a test split).
        situation: where the asker stands and what surrounds them (SQA3D); else "".
        object_ids: objects that the answer is about, in the order of the file; the first is ScanQA's target.
        pose: where the asker stands (SQA3D): position x, y, z [m] and quaternion x, y, z, w; () where nobody says.
    """

    id: str
    scene: str
    text: str
    answers: tuple[str, ...] = ()
    situation: str = ""
    object_ids: tuple[int, ...] = ()
    pose: tuple[float, ...] = ()


@dataclass(frozen=True)
class QuestionSet:
    """The questions of one file, in its order.

    Attributes:
        path: the annotation file.
        questions: at least one; ids are unique.
        type_of: question -> its type, as the data set's own evaluation tells types apart.
    """

    path: Path
    questions: Sequence[Question]
    type_of: Callable[[str], str]

    @property
    def withheld(self) -> bool:
        """Whether the file has no answers."""
        return not self.questions[0].answers

    def types(self) -> list[str]:
        """The type of every question."""
        return [self.type_of(question.text) for question in self.questions]


_SCANQA = (
    ("Where", "Place"), ("How many", "Number"), ("What color", "Color"), ("What is the color", "Color"),
    ("What shape", "Object nature"), ("What type", "Object nature"), ("What kind", "Object nature"),
    ("What is", "Object"),
)  # fmt: skip
_SQA3D = ("what", "is", "how", "can", "which")


def scanqa_type(question: str) -> str:
    """Place, Number, Color, Object nature, Object or Other.

    The first phrase that occurs anywhere in the question decides, in capitals as written (ScanQA ``scripts/score.py``):
    "what is on the desk" is Other.
    """
    return next((kind for phrase, kind in _SCANQA if phrase in question), "Other")


def sqa3d_type(question: str) -> str:
    """what, is, how, can, which or others, by the first letters, in any case.

    By letters, not by words (3D-VisTA ``dataset/sqa.py``, LEO): "Isn't" is "is" and "Whatever" is "what".
    """
    start = question.lstrip().lower()
    return next((kind for kind in _SQA3D if start.startswith(kind)), "others")
