"""Average precision of a detection from counts in bins of confidence, which can be added up over processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from geo_lm4ve.indoor.detection import Detection
from geo_lm4ve.indoor.metrics.finding import Found, find
from geo_lm4ve.indoor.objects import CLASSES, RoomObjects

OVERLAPS = (0.25, 0.5)
"""Overlaps that a find has to exceed, each by itself."""
BINS, REACH = 4096, 12.0
"""Bins of equal width in the logit of the confidence, from -12 to 12 (one is 0.006 wide); the outermost take the rest.

Confidences crowd near 0 and near 1, where bins of the confidence itself would lump them together."""


def bins_of(scores: Float[Tensor, "*n"]) -> Int64[Tensor, "*n"]:
    """The bin of each confidence in [0, 1]."""
    logits = scores.double().log() - (-scores.double()).log1p()
    return ((logits.clamp(-REACH, REACH) + REACH) * (BINS / (2 * REACH))).long().clamp(max=BINS - 1)


class DetectionCounts:
    """Finds and misses of every class by confidence.

    Finds whose confidences lie in one bin count as one step of the curve, as ties do: sorting would have to put some of
    them first, and so give more or less. Confidences that lie apart give what sorting gives.
    """

    def __init__(self) -> None:
        self.hits = torch.zeros(len(OVERLAPS), len(CLASSES), BINS, dtype=torch.int64)
        self.found = torch.zeros(len(CLASSES), BINS, dtype=torch.int64)
        self.objects = torch.zeros(len(CLASSES), dtype=torch.int64)
        self.scans = torch.zeros((), dtype=torch.int64)

    def update(self, found: Sequence[Found], objects: RoomObjects, scans: Sequence[int]) -> None:
        """Add scans.

        Args:
            found: for each of ``OVERLAPS``.
            objects: the true ones.
            scans: rows of the scans that count.
        """
        rows = torch.tensor(scans, dtype=torch.int64, device=objects.valid.device)
        for place, one in enumerate(found):
            self.hits[place] += _counts(one.scores[rows], one.hits[rows])
        counted = found[0].counted[rows, :, None].expand_as(found[0].hits[rows])
        self.found += _counts(found[0].scores[rows], counted)
        classes = objects.classes[rows][objects.valid[rows]]
        self.objects += torch.bincount(classes, minlength=len(CLASSES)).cpu()
        self.scans += len(scans)

    def state(self) -> dict[str, Tensor]:
        """The counts."""
        return {"hits": self.hits, "found": self.found, "objects": self.objects, "scans": self.scans}

    @staticmethod
    def compute(state: Mapping[str, Tensor]) -> dict[str, float]:
        """``map_at_025`` and ``map_at_05``, means over the classes that occur; {} where no true object was seen."""
        occurs = state["objects"] > 0
        if not occurs.any():
            return {}
        precisions = class_precisions(state)[:, occurs].mean(1).tolist()
        return {f"map_at_{str(overlap).replace('.', '')}": value for overlap, value in zip(OVERLAPS, precisions)}


def find_all(detection: Detection, survivors: Tensor, objects: RoomObjects) -> list[Found]:
    """What ``DetectionCounts.update`` takes."""
    return [find(detection, survivors, objects, overlap) for overlap in OVERLAPS]


def class_precisions(state: Mapping[str, Tensor]) -> Float[Tensor, "t c"]:
    """Average precision of each class at each overlap: the area under the envelope of precision over recall.

    NaN for a class without true objects. Not the eleven points of VOC 2007 (VoteNet ``utils/eval_det.py``).
    """
    hits = state["hits"].double().flip(-1).cumsum(-1)
    found = state["found"].double().flip(-1).cumsum(-1)
    recall = hits / state["objects"].double()[:, None]
    envelope = (hits / found.clamp(min=1)).flip(-1).cummax(-1).values.flip(-1)
    return (recall.diff(dim=-1, prepend=torch.zeros_like(recall[..., :1])) * envelope).sum(-1)


def _counts(scores: Float[Tensor, "s p c"], mask: Tensor) -> Int64[Tensor, "c bins"]:
    """How many of the masked scores of each class lie in each bin."""
    cells = bins_of(scores) + torch.arange(scores.shape[-1], device=scores.device) * BINS
    return torch.bincount(cells[mask], minlength=scores.shape[-1] * BINS).view(-1, BINS).cpu()
