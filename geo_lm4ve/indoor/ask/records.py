"""Records of answered questions: plain numbers and texts, in files and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geo_lm4ve.indoor.ask.outcome import Outcome
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.detection import RoomAnswers
from geo_lm4ve.parts.task import Record
from geo_lm4ve.reading import Fields

PROPOSALS = ("gt", "predicted")
_DIGITS = 6


def room_records(outcome: Outcome, output: RoomAnswers, batch: RoomBatch, vocabulary: Sequence[str]) -> list[Record]:
    """One record per question.

    ``question`` is there where the batch has it as a text; ``right_answers`` (of those in the vocabulary) and ``right``
    where the right answers are known; ``box`` (centre and size [m]), ``overlap`` and ``pose`` (in the frame of the
    points) where there are such.
    """
    proposals = "predicted" if output.detection.truth is None else "gt"
    records: list[Record] = [
        {
            "index": index,
            "question_id": batch.names[row] if batch.names else str(index),
            "scan": batch.scans[batch.room_of[row]] if batch.scans else "",
            "top": [[vocabulary[answer], round(share, _DIGITS)] for answer, share in zip(best, shares)],
            "proposals": proposals,
        }
        for row, (index, best, shares) in enumerate(
            zip(batch.index.tolist(), outcome.best.tolist(), outcome.probabilities.tolist())
        )
    ]
    for columns in (_texts(batch), _truths(outcome, batch, vocabulary), _places(outcome, output)):
        for record, values in zip(records, columns):
            record.update(values)
    return records


def _texts(batch: RoomBatch) -> list[dict[str, Any]]:
    columns = {"question": batch.questions, "situation": batch.situations}
    given = {name: texts for name, texts in columns.items() if isinstance(texts, tuple)}
    return [dict(zip(given, row)) for row in zip(*given.values())]


def _truths(outcome: Outcome, batch: RoomBatch, vocabulary: Sequence[str]) -> list[dict[str, Any]]:
    if batch.truth is None:
        return []
    right = batch.truth.answers > 0
    hits = right.gather(1, outcome.best[:, :1])[:, 0].tolist()
    return [
        {"right_answers": [vocabulary[answer] for answer in answers.nonzero()[:, 0].tolist()], "right": hit}
        for answers, hit in zip(right.cpu(), hits)
    ]


def _places(outcome: Outcome, output: RoomAnswers) -> list[dict[str, Any]]:
    columns: dict[str, list[Any]] = {}
    if outcome.boxes is not None:
        columns["box"] = outcome.boxes.tolist()
        columns["overlap"] = [None if one != one else round(one, _DIGITS) for one in outcome.overlaps.tolist()]
    if output.poses is not None:
        columns["pose"] = output.poses.double().tolist()
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def check_records(records: Sequence[Record], vocabulary: Sequence[str]) -> None:
    """ValueError for records read from a file that are not of questions with this vocabulary."""
    known = set(vocabulary)
    for record in records:
        fields = Fields(record, f"question {record['index']}: ")
        for name in ("question_id", "scan"):
            fields.text(name)
        if fields["proposals"] not in PROPOSALS:
            raise ValueError(f"{fields.prefix}proposals is none of {', '.join(PROPOSALS)}")
        answers = _answers(fields)
        if "right_answers" in record:
            right = fields.texts("right_answers")
            if fields["right"] is not (answers[0] in right):
                raise ValueError(f"{fields.prefix}right does not say whether the first answer is a right one")
            answers = [*answers, *right]
        if strange := [one for one in answers if one not in known]:
            raise ValueError(f"{fields.prefix}{strange[0][:60]!r} is no answer of the data")
        _check_numbers(fields)


def _answers(fields: Fields) -> list[str]:
    top = fields["top"]
    if not isinstance(top, list) or not top or not all(isinstance(pair, list) and len(pair) == 2 for pair in top):
        raise ValueError(f"{fields.prefix}top is no list of answers with their probabilities")
    for answer, share in top:
        if not isinstance(answer, str) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise ValueError(f"{fields.prefix}top is no list of answers with their probabilities")
    return [answer for answer, _ in top]


def _check_numbers(fields: Fields) -> None:
    for name in ("question", "situation"):
        if name in fields.values:
            fields.text(name)
    for name, count in (("box", 6), ("pose", 7)):
        numbers = fields.values.get(name, [0.0] * count)
        if not isinstance(numbers, list) or len(numbers) != count:
            raise ValueError(f"{fields.prefix}{name} is no list of {count} numbers")
        inner = Fields(dict(zip(map(str, range(count)), numbers)), f"{fields.prefix}{name}.")
        for place in range(count):
            inner.number(str(place))
    if fields.values.get("overlap") is not None:
        fields.number("overlap")
