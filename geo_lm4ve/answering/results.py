"""Scores as the JSON file and the tables say them: in percent, with all their circumstances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geo_lm4ve.answering.scores import Scores

LISTED = 100
"""Ids of missing or extra answers kept in the results."""


def results_of(scores: Scores, data: str) -> dict[str, Any]:
    """What ``--out`` writes.

    Args:
        scores: by one protocol.
        data: the annotation file.
    """
    protocol, found = scores.protocol, scores.found
    return {
        "metrics": scores.metrics(),
        "by_type": {
            kind: {"samples": len(rows), **scores.metrics_of(rows)} for kind, rows in scores.rows_by_type().items()
        },
        "protocol": protocol.name,
        "source": protocol.source,
        "cleaning": protocol.cleaning,
        "tokeniser": scores.tokeniser,
        "denominator": protocol.denominator,
        "references": "the first" if protocol.first_reference else "all",
        "bugs": list(protocol.bugs),
        "samples": len(found.questions),
        "missing": len(found.missing),
        "missing_ids": list(found.missing[:LISTED]),
        "extra": len(found.extra),
        "extra_ids": list(found.extra[:LISTED]),
        "split_size": found.total,
        "unavailable": scores.lacking,
        "prompt": found.predictions.prompt,
        "predictions": str(found.predictions.path),
        "data": data,
        "notes": _notes(scores),
    }


def _notes(scores: Scores) -> list[str]:
    """What a reader of the numbers should know."""
    found = scores.found
    notes = [
        f"{', '.join(_with(scores, reason))} left out: {reason}" for reason in dict.fromkeys(scores.lacking.values())
    ]
    if left_out := found.total - len(found.questions):
        notes.append(f"{left_out:,} of {found.total:,} questions do not count ({scores.protocol.denominator})")
    unanswered = sum(not guesses for guesses in found.guesses)
    if unanswered:
        notes.append(f"{unanswered:,} questions without an answer count as wrong; --answered-only leaves them out")
    if "EM@10" in scores.protocol.metrics and all(len(set(guesses)) <= 1 for guesses in found.guesses):
        notes.append("no question has more than one answer: EM@10 is EM@1")
    return notes


def _with(scores: Scores, reason: str) -> list[str]:
    return [name for name, why in scores.lacking.items() if why == reason]


def circumstances(results: Mapping[str, Any]) -> list[str]:
    """What is printed with every score, a line each."""
    kept = (
        f"{results['samples']:,} of {results['split_size']:,} questions scored, {results['missing']:,} without answer"
    )
    lines = [
        f"protocol {results['protocol']}: {results['source']}",
        f"cleaning: {results['cleaning']}; tokeniser: {results['tokeniser'] or 'none'}; right answers: "
        f"{results['references']}",
        f"{kept}, {results['extra']:,} answers to other questions; counted: {results['denominator']}",
    ]
    lines += [f"prompt: {results['prompt']}"] if results["prompt"] else []
    lines += [f"reproduced: {bug}" for bug in results["bugs"]]
    return lines + [f"note: {note}" for note in results["notes"]]
