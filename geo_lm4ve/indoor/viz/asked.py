"""One question about a scan with what was answered, as pictures show it. Plain numbers and texts, no networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from geo_lm4ve.indoor.viz.shapes import Numbers


@dataclass(frozen=True)
class Activation:
    """How far the token of every proposal of a scan stands out from the others (``analysis.activation``).

    Attributes:
        centers: (P, 3) of the proposals [m].
        objects: (P,) True where a proposal is taken for an object; the others have no token.
        before: (P,) in [0, 1] of the tokens that the block gets; NaN where there is none.
        after: (P,) of those that it gives.
    """

    centers: Float[np.ndarray, "p 3"]
    objects: Bool[np.ndarray, " p"]
    before: Float[np.ndarray, " p"]
    after: Float[np.ndarray, " p"]

    def __post_init__(self) -> None:
        """ValueError where an object has no place or a value outside [0, 1]."""
        for name in ("before", "after"):
            values = getattr(self, name)[self.objects]
            if not ((values >= 0) & (values <= 1)).all():
                raise ValueError(f"activation {name} must lie in [0, 1] where a proposal is an object, not {values}")
        if not np.isfinite(self.centers[self.objects]).all():
            raise ValueError("the centre of a proposal that is an object is not finite")


@dataclass(frozen=True)
class Asked:
    """One question about a scan.

    Attributes:
        scan: name of the scan.
        question: its text.
        situation: where the asker stands and what surrounds them (SQA3D); else "".
        said: (answer, probability) of the best answers, best first; () where nothing was answered.
        references: right answers; () where nobody says.
        right: whether the first answer is right; None: nobody knows.
        box: (6,) centre and size [m] of the box that was predicted, in the frame of the points; None: none was.
        truth: (6,) of the box that the question is about; None: nobody says.
        iou: how much the two overlap, in [0, 1]; None: not known.
        pose: (7,) where the asker stands: position [m], quaternion x, y, z, w, in the frame of the points; None: nobody
            says.
        id: of the question.
        type: of the question, e.g. "what".
        activation: of the proposals' tokens for this question; None: not looked at.
    """

    scan: str
    question: str
    situation: str = ""
    said: Sequence[tuple[str, float]] = ()
    references: Sequence[str] = ()
    right: bool | None = None
    box: Numbers | None = None
    truth: Numbers | None = None
    iou: float | None = None
    pose: Numbers | None = None
    id: str = ""
    type: str = ""
    activation: Activation | None = None

    def __post_init__(self) -> None:
        """ValueError where a box or a pose has other than its six or seven finite numbers."""
        for name, count in (("box", 6), ("truth", 6), ("pose", 7)):
            values = getattr(self, name)
            if values is not None and (len(values) != count or not np.isfinite(values).all()):
                raise ValueError(f"{name} of question {self.id!r} must be {count} finite numbers, not {list(values)}")
        if self.pose is not None and not np.any(self.pose[3:]):
            raise ValueError(f"pose of question {self.id!r} has a quaternion of zeros, which is no rotation")
