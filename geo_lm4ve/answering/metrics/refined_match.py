"""Refined exact match: an answer inside a reference counts too, or the other way round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.metrics.base import MeanMetric, pairs


class RefinedMatch(MeanMetric[str, str]):
    """EM@1 of cleaned texts and EM@1_refined: one text, blanks removed, is a part of the other.

    An empty answer is part of every reference and counts as refined, as it does there.

    Args:
        in_order: LEO's ``evaluator/scanqa_eval.py`` goes through the references and stops at the first that agrees
            either way, so that an exact match after a partial one does not count as exact. Without it, as LLaVA-3D's
            ``llava/eval/scanqa_evaluator.py``, exact matches are looked for first.
    """

    names = ("EM@1", "EM@1_refined")

    def __init__(self, in_order: bool = False):
        self.in_order = in_order

    def measure(self, answers: Sequence[str], references: Sequence[Sequence[str]]) -> Float64[np.ndarray, "n 2"]:
        """1 or 0 for both."""
        rows = [self._match(answer, right) for answer, right in pairs(answers, references)]
        return np.array(rows, np.float64).reshape(-1, 2)

    def _match(self, answer: str, right: Sequence[str]) -> tuple[bool, bool]:
        if answer in right and not self.in_order:
            return True, True
        agreeing = next((one for one in right if one == answer or _part(answer, one)), None)
        return agreeing == answer, agreeing is not None


class LooseMatch(MeanMetric[str, str]):
    """SQA3D's zero-shot rule (``LLM/eval_sqa3d_llm.py``): equal, part of the reference, or any word in common.

    Only the prediction is cleaned there. The name says that this is no exact match.
    """

    names = ("EM@1_loose",)

    def measure(self, answers: Sequence[str], references: Sequence[Sequence[str]]) -> Float64[np.ndarray, "n 1"]:
        """1 or 0."""
        hits = (any(_agree(answer, one) for one in right) for answer, right in pairs(answers, references))
        return np.fromiter(hits, np.float64, len(answers))[:, None]


def _part(one: str, other: str) -> bool:
    one, other = "".join(one.split()), "".join(other.split())
    return one in other or other in one


def _agree(answer: str, reference: str) -> bool:
    within = answer in reference or "".join(answer.split()) in "".join(reference.split())
    return within or not set(answer.split()).isdisjoint(reference.split())
