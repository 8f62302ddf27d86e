"""Two systems on the same questions: differences with intervals, for all questions and for every type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geo_lm4ve.answering.bootstrap import CONFIDENCE, Comparison, compare
from geo_lm4ve.answering.scores import Scores


def compare_scores(one: Scores, other: Scores, *, samples: int, seed: int) -> dict[str, Any]:
    """What ``--against`` adds to the results, in percent.

    Args:
        one: scores of a system.
        other: of another one, on the same questions by the same protocol.
        samples: times that questions are drawn anew.
        seed: of the draws.
    """
    groups = {"all": list(range(len(one.found.questions))), **one.rows_by_type()}
    return {
        "protocol": one.protocol.name,
        "predictions": str(one.found.predictions.path),
        "against": str(other.found.predictions.path),
        "method": f"paired bootstrap, {samples:,} samples, {CONFIDENCE:.0%} percentile intervals, seed {seed}",
        "difference": {kind: _group(one, other, rows, samples, seed) for kind, rows in groups.items()},
    }


def _group(one: Scores, other: Scores, rows: Sequence[int], samples: int, seed: int) -> dict[str, Any]:
    compared = dict[str, Comparison]()
    theirs = {metric.names: table for metric, table in other.statistics.items()}
    for metric, table in one.statistics.items():
        if metric.names in theirs:  # boxes may be of one system alone
            compared |= compare(metric, table[rows], theirs[metric.names][rows], samples=samples, seed=seed)
    return {"samples": len(rows), "metrics": {name: _percent(value) for name, value in compared.items()}}


def _percent(compared: Comparison) -> dict[str, float]:
    low, high = compared.difference.low, compared.difference.high
    values = {"one": compared.one.value, "other": compared.other.value, "difference": compared.difference.value}
    return {name: 100 * value for name, value in {**values, "low": low, "high": high}.items()}
